// The text of the results half of the page.

import { counted } from "./strings.js";

/** From the farthest to the nearest, as the server says. */
export const CLOSENESS = ["distant", "related", "close", "very close", "almost the same"];

/** @typedef {Record<string, [name: string, explanation: string]>} Choices by the name that the API uses */

/** @type {Choices} */
export const METHODS = {
  likelihood: [
    "Likelihood",
    "How likely the encoder is to produce exactly this design from a product’s photo. This allows for how certain the encoder is of each product.",
  ],
  "fixed-epsilon": [
    "Shared sample",
    "Distance to one random sample of each product’s code. All products share the same random numbers.",
  ],
  mean: ["Mean code", "Distance to the mean of each product’s code. Simple, and easy to check by hand."],
};
/** @type {Choices} */
export const SCOPES = {
  cluster: ["Products like it", "Only the products in the cluster of the design."],
  catalogue: ["The whole shop", "All the products of the shop."],
};
/** @type {Choices} */
export const METRICS = {
  euclidean: ["Euclidean", "One large difference counts more than several small ones."],
  manhattan: ["Manhattan", "The differences of all sliders are added up, so all count the same."],
};

export const strings = {
  title: "From the shop",
  tabs: { shop: "Products", between: "Between two", map: "Map" },
  similar: "Similar products",
  similarNote: "The products of the shop that are nearest to your design.",
  method: "Ranked by",
  scope: "Among",
  metric: "Distance",
  compare: "Compare two methods",
  back: "Back to one list",
  noMatch: "No product passes these filters",
  noProducts: "No products to show",
  removeFilterHint: "Remove a filter.",
  removeFilterOrScopeHint: "Remove a filter, or search the whole shop.",
  clear: "Clear the filters",
  searchAll: "Search the whole shop",
  retry: "Try again",
  notLoaded: "This part of the page cannot be loaded at the moment. Try again later.",
  showingLast: "You see the last response.",
  showAll: (/** @type {number} */ count) => `Show all ${count}`,
  found: (/** @type {number} */ count, /** @type {string} */ nearest, /** @type {string} */ closeness) =>
    `${counted(count, "similar product")}, nearest: ${nearest}, ${closeness}.`,
  foundNone: "No product passes these filters.",

  start: "Start from this",
  useDetails: "Use its details",
  detailsUsed: (/** @type {string} */ title) => `The design is drawn with the details of ${title}.`,
  moreLike: "More like this",
  lessLike: "Less like this",
  score: "score",
  scoreOf: {
    likelihood: (/** @type {string} */ number) => `log-likelihood ${number}; higher is nearer`,
    distance: (/** @type {string} */ number) => `distance ${number}; lower is nearer`,
  },
  pin: (/** @type {string} */ end) => `Pin as ${end}`,
  pinned: (/** @type {string} */ title, /** @type {string} */ end) => `${title} is pinned as ${end}.`,
  enlarge: (/** @type {string} */ title) => `Enlarge ${title}`,
  close: "Close",
  visit: "Open the link",
  movedTowards: (/** @type {string} */ title) => `The design moved towards ${title}.`,
  movedAway: (/** @type {string} */ title) => `The design moved away from ${title}.`,
  started: (/** @type {string} */ title) => `The design is now ${title}, as the model draws it.`,
  cannotMove: "The design cannot move further in this direction: its sliders are at their ends, or locked.",

  overlap: (/** @type {number} */ both, /** @type {number} */ total) => `${both} of ${total} in both`,
  inBoth: "in both",
  onlyHere: "only here",
  higher: (/** @type {number} */ by) => `${counted(by, "place")} higher here`,
  lower: (/** @type {number} */ by) => `${counted(by, "place")} lower here`,
  sameRank: "same place",

  goesWith: "Goes with it",
  goesWithNote:
    "Products of the other categories that differ from their category’s average in the same way as your design does.",
  oneCategory: "This shop has one category",
  oneCategoryNote: "Recommendations come from the other categories, and this shop has none.",
  swap: "Swap",
  keep: "Keep",
  kept: "Kept",
  shuffle: "Shuffle",
  swapLabel: (/** @type {string} */ category) => `Swap: show the next of ${category}`,
  keepLabel: (/** @type {string} */ category) => `Keep this one of ${category} when the design moves`,
  shuffleLabel: (/** @type {string} */ category) => `Shuffle: show any of the nearest of ${category}`,
  others: (/** @type {string} */ category) => `Others of ${category}`,
  choice: (/** @type {string} */ title, /** @type {string} */ category) => `${category}: ${title}.`,

  look: "Your look",
  lookNote: "The design with the products that you chose to go with it.",
  lookName: "Name of the look",
  lookUnnamed: "My look",
  lookSave: "Save here",
  lookShare: "Copy the link",
  lookPicture: "Save as a picture",
  lookSaved: (/** @type {string} */ name) => `“${name}” is saved in this browser.`,
  lookNotSaved: "This browser does not allow the page to save looks. Copy the link instead.",
  lookCopied: "The link is copied.",
  lookCopyByHand: "Copy this link:",
  lookOpen: (/** @type {string} */ name) => `Open the look ${name}`,
  lookDelete: (/** @type {string} */ name) => `Delete the look ${name}`,
  looks: "Saved looks",
  lookMissing: (/** @type {number} */ count) =>
    `${counted(count, "product")} of this look ${count === 1 ? "is" : "are"} no longer in the shop.`,
  lookOther: "Another model of the shop made this look. You see its products with the present design.",
  design: "Your design",
  designNote: "A drawn design, not a product you can buy.",

  between: "Between two products",
  betweenNote: "Pin two designs, and see the designs between them.",
  pinDesign: (/** @type {string} */ end) => `Pin the design as ${end}`,
  pinHint: "Nothing is pinned yet. Pin the design here, or pin a product with the letters on its photo.",
  slider: "Position between A and B",
  at: (/** @type {number} */ percent) =>
    percent === 0 ? "at A" : percent === 100 ? "at B" : `${percent} % of the way from A to B`,
  play: "Play",
  pause: "Pause",
  step: "Next step",
  swapEnds: "Swap A and B",
  take: "Use as the design",
  exportStrip: "Save the strip",
  exportWebp: "Save the animation",
  betweenPicture: (/** @type {string} */ a, /** @type {string} */ b, /** @type {number} */ percent) =>
    `${percent} % of the way from ${a} to ${b}, as the model draws it`,
  tookBetween: "The design is now the one between A and B.",
  rendering: "Rendering …",

  map: "Map of the shop",
  mapNote:
    "Products that look alike are close together. The large dot is your design; the rings are the similar products.",
  mapKeys:
    "Drag or use the buttons to move, scroll or pinch to zoom. With the keyboard: arrow keys go from product to product, Enter opens one, plus and minus zoom, 0 shows all, D goes to the design.",
  mapLabel: "Map of the shop’s products",
  zoomIn: "Zoom in",
  zoomOut: "Zoom out",
  showWholeMap: "Show all",
  toDesign: "Go to the design",
  pan: { left: "Move left", right: "Move right", up: "Move up", down: "Move down" },
  colourBy: "Coloured by",
  category: "category",
  inView: (/** @type {number} */ shown, /** @type {number} */ all) =>
    all === 0
      ? "No product in view"
      : shown < all
        ? `${counted(all, "product")} in view; the ${shown} nearest to the middle`
        : `${counted(all, "product")} in view`,
  mapFilters: "The map uses the filters by category and by colour only.",

  filters: "Filters",
  activeFilters: (/** @type {number} */ count) => (count ? counted(count, "filter") : "No filter"),
  measurements: (/** @type {number} */ count) => counted(count, "measurement"),
  searchIn: (/** @type {string} */ name) => `Search in ${name}`,
  from: "from",
  to: "to",
  yes: "yes",
  no: "no",
  removeFilter: (/** @type {string} */ filter) => `Remove the filter ${filter}`,
  range: (
    /** @type {string} */ name,
    /** @type {number | undefined} */ low,
    /** @type {number | undefined} */ high,
  ) =>
    low === undefined
      ? `${name} up to ${high}`
      : high === undefined
        ? `${name} from ${low}`
        : `${name} ${low} to ${high}`,
  noValues: "No value matches.",

  typicality: "How typical of this shop",
  far: "No product of the shop is near this design, so the picture is a guess, and the products below are not very similar.",
  unusual: "Few products of the shop are like this design.",
  usual: "The shop has many products like this design.",
  bringBack: "Move it closer to the shop",
};
