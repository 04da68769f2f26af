// The text of the design half of the page.

/** @param {number} n @param {string} one @param {string} [many] */
export const counted = (n, one, many = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

/** @param {number} bytes */
export const fileSize = (bytes) =>
  bytes >= 1e6 ? `${+(bytes / 1e6).toFixed(1)} MB` : `${Math.ceil(bytes / 1e3)} kB`;

/** Return an attribute's name as people write it: base_colour → base colour. @param {string} name */
export const readable = (name) => name.replaceAll("_", " ");

/** Return a text of at most `max` characters. @param {string} text @param {number} [max] */
export const shorten = (text, max = 120) =>
  text.length > max ? `${text.slice(0, max - 1).trimEnd()}…` : text;

/** The two ends of a measurement. @type {Record<string, [string, string]>} */
const MEASUREMENTS = {
  lightness: ["darker", "lighter"],
  saturation: ["greyer", "more colourful"],
  warmth: ["cooler", "warmer"],
  height: ["shorter", "taller"],
  width: ["narrower", "wider"],
  area: ["smaller", "larger"],
  aspect: ["flatter", "more upright"],
  edges: ["plainer", "busier"],
};

export const strings = {
  title: (/** @type {string} */ shop) => `${shop} · design studio`,
  studio: "design studio",
  stage: "Your design",
  controls: "Change the design",
  theme: { name: "Theme", system: "same as the system", light: "light", dark: "dark" },
  help: "Help",
  close: "Close",
  footer: (/** @type {number} */ n) => `${counted(n, "product")} in this shop.`,
  docs: "API",

  pictureOf: (/** @type {string} */ origin) => `A drawn design, ${origin}`,
  origin: {
    average: (/** @type {string | undefined} */ title) =>
      title ? `started from the average of ${title}` : "started from the shop’s average",
    product: (/** @type {string | undefined} */ title) => `started from ${title}`,
    photo: () => "started from your photo",
    link: () => "started from a shared link",
    nearby: () => "started from a nearby design",
  },
  detailsOf: (/** @type {string} */ title) => `Details from ${title}`,
  ownDetails: "Drawn with its own details",
  noDetails: "Drawn without details",
  detailsChange: "change",
  detailsNone: "none",
  detailsOffer: "Use nearer details",
  detailsOfferOf: (/** @type {string} */ title) => `Use nearer details: ${title}`,
  detailsTitle: "Whose details?",
  detailsHint: "Your design with the seams, materials and patterns of the products nearest to it.",
  note: "A drawn design, not a product you can buy.",
  card: "About the model",
  cardFailed: "The model card cannot be loaded at the moment.",

  surprise: "Surprise me",
  nearby: "Nearby",
  undo: "Undo",
  redo: "Redo",
  reset: "Reset",
  resetDone: "The design is back where it started.",
  history: "History",
  historyEntry: (/** @type {number} */ n, /** @type {string} */ origin) => `Design ${n}, ${origin}`,
  startProduct: "From a product",
  startPhoto: "From your photo",
  share: "Share",

  sliders: "Sliders",
  attributes: "By attribute",
  sliderSets: "Kinds of sliders",
  sliderHint: "Drag, type, or use the arrow keys. Double-click a slider to reset it.",
  attributeHint:
    "Each of these moves many sliders at once, in the direction in which the shop’s products with this attribute differ.",
  moreSliders: (/** @type {number} */ n, /** @type {number} */ idle) => {
    const more = counted(n, "more slider");
    if (!idle) return more;
    if (idle === n) return `${counted(n, "slider")} that ${n === 1 ? "has" : "have"} almost no effect`;
    return `${more}, ${idle} of them with almost no effect`;
  },
  slider: (/** @type {string} */ low, /** @type {string} */ high, /** @type {number | undefined} */ place) =>
    `${place ? `Slider ${place}: ` : ""}${low} to ${high}`,
  ends: (/** @type {string} */ attribute, /** @type {string | null} */ value) =>
    (value === null && MEASUREMENTS[attribute]) || [
      `less ${readable(value ?? attribute)}`,
      `more ${readable(value ?? attribute)}`,
    ],
  number: (/** @type {string} */ name) => `${name}, from −100 to 100`,
  stepTowards: (/** @type {string} */ end) => `One step towards ${end}`,
  lock: (/** @type {string} */ name) => `Lock ${name}`,
  measurements: "Measurements",
  noAttributes: "The model found no direction for this shop’s attributes.",
  allLocked: "All the sliders that this one moves are locked.",
  sliderValue: (/** @type {number} */ n, /** @type {string} */ low, /** @type {string} */ high) =>
    n === 0 ? "in the middle" : `${Math.abs(n)} towards ${n < 0 ? low : high}`,
  realism: "Keep it realistic",
  realismHint: "The sliders that you have not set follow, so that the design stays near real products.",
  strip: "Pictures along the slider",
  stripItem: (/** @type {string} */ value) => `Go to ${value}`,

  nearbyTitle: "Nearby designs",
  nearbyHint: "Eight small changes to your design. Choose one to see the designs near it.",
  nearbyCurrent: "Your design; close",
  nearbyItem: (/** @type {number} */ n) => `Go to design ${n}`,
  nearbySpread: "Size of the change",
  smaller: "smaller",
  larger: "larger",
  nearbyAgain: "Eight others",

  startTitle: "Start from …",
  fromProducts: "A product",
  fromPhoto: "Your photo",
  fromAverage: "An average",
  fromLink: "A link",
  search: "Search the shop",
  searchHint: "Name or attribute",
  allCategories: "All",
  categories: "Category",
  page: (/** @type {number} */ page, /** @type {number} */ pages) => `Page ${page} of ${pages}`,
  previous: "Previous",
  next: "Next",
  products: (/** @type {number} */ n) => counted(n, "product"),
  noProducts: "No product matches. Use fewer words, or another category.",
  averageOf: (/** @type {string} */ name, /** @type {number} */ n) =>
    `The average of ${counted(n, "product")} in ${name}`,
  averageAll: "All products",
  averageHint: "One picture of what all the products of a category have in common.",
  linkHint: "Paste a link that someone shared with you.",
  linkField: "Link to a design",
  linkOpen: "Open",
  linkBad: "This is not a link to a design. A link ends in #z=… and &m=….",
  linkOther: "This link was made with another model of this shop, so the design cannot be shown.",
  linkOtherAtStart:
    "The link you opened was made with another model of this shop, so its design cannot be shown. You see another design instead.",
  linkBadAtStart:
    "The link you opened is damaged, so its design cannot be shown. You see another design instead.",

  drop: "Drop a photo here, paste one, or",
  choose: "choose a file",
  dropAnywhere: "Drop the photo to start from it",
  photoHint: (/** @type {number} */ bytes, /** @type {number} */ megapixels) =>
    `JPEG, PNG or WebP, up to ${fileSize(bytes)} and ${megapixels} megapixels. One product on a plain background works best. The photo is not stored.`,
  reading: "Reading your photo …",
  photoType: (/** @type {string} */ type) =>
    `This file is ${type || "of an unknown type"}. Choose a JPEG, PNG or WebP file.`,
  photoTooLarge: (/** @type {number} */ bytes, /** @type {number} */ limit) =>
    `This photo has ${fileSize(bytes)}; the limit is ${fileSize(limit)}. Save it smaller and try again.`,
  yourPhoto: "Your photo",
  cutOut: "Background removed",
  notCutOut: "Background kept",
  asModelSees: "As the model sees it",
  cannotCutOut: "The background could not be separated from the product, so it was kept.",
  keepBackground: "Keep the background",
  designFromPhoto: "Design from here",
  anotherPhoto: "Another photo",
  photoDone: "The design now starts from your photo.",

  shareTitle: "Share this design",
  shareLink: "Link",
  shareHint: "Everyone who opens the link sees the same picture.",
  copy: "Copy",
  copied: "Copied",
  copyFailed: "Press Ctrl+C to copy.",
  exportAs: "Save",
  exportPng: "Picture (PNG)",
  exportJson: "Numbers (JSON)",
  exportCurl: "Get this picture from the API",
  curlLabel: "cURL command that requests this picture",
  saved: (/** @type {string} */ name) => `Saved ${name}.`,

  unavailable:
    "The shop’s server does not answer. Your design is safe on this page, which continues when the server is back.",
  retryNow: "Try now",
  reconnected: "The server is back.",
  modelChanged:
    "The shop has a new model. Reload the page to use it. Links to designs of the old model no longer work.",
  loadFailed: "A part of this page could not be loaded.",
  reload: "Reload",
  failed: (/** @type {string} */ message) => `Something went wrong: ${message}`,

  helpTitle: "How the studio works",
  helpIntro: [
    "Move a slider, and the product changes at once. Below it you see the shop’s products that are most similar, and products of the other categories that go with it.",
    "Lock the sliders you like, and let “Surprise me” and “Nearby” change the rest. The history keeps every step.",
    "A small model that learnt from the shop’s photos draws the picture. You cannot buy it; you can buy the products below it.",
  ],
  helpKeys: "Keys",
  helpKeysOn: "Single-key shortcuts",
  keys: [
    ["← → ↑ ↓", "move the slider in focus one step"],
    ["Page Up, Page Down", "move it a large step"],
    ["Home, End", "move it to its end"],
    ["1 … 9, 0", "go to slider 1 … 10"],
    ["L", "lock the slider in focus"],
    ["R", "surprise me"],
    ["N", "nearby designs"],
    ["U or Ctrl+Z", "undo"],
    ["Ctrl+Shift+Z or Ctrl+Y", "redo"],
    ["S", "share"],
    ["?", "show this help"],
    ["Esc", "close what is open"],
  ],
};
