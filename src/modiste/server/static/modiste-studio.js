// <modiste-studio src="https://studio.example" product="id" height="900" theme="dark">: the studio in a shop's own page.
// A plain script, so that any page can load it from the studio's server. It loads and stores nothing else.
(() => {
  const DEFAULT_HEIGHT = 900; // CSS pixels

  class ModisteStudio extends HTMLElement {
    static observedAttributes = ["src", "product", "height", "theme", "label"];

    constructor() {
      super();
      this._frame = document.createElement("iframe");
      this._frame.allow = "clipboard-write";
      this._frame.style.cssText = "display: block; width: 100%; border: 0;";
      /** @type {{z: string, code: number[], link: string} | null} */
      this._design = null;
      this._onMessage = (/** @type {MessageEvent} */ event) => this._receive(event);
      this.attachShadow({ mode: "open" }).append(this._frame);
    }

    connectedCallback() {
      addEventListener("message", this._onMessage);
      this._update();
    }

    disconnectedCallback() {
      removeEventListener("message", this._onMessage);
    }

    attributeChangedCallback() {
      if (this.isConnected) this._update();
    }

    /** The latest design: {z, code, link}; null before the first. */
    get design() {
      return this._design;
    }

    _update() {
      const height = Number(this.getAttribute("height"));
      this._frame.style.height = `${height > 0 ? height : DEFAULT_HEIGHT}px`;
      this._frame.title = this.getAttribute("label") || "Design studio";
      const studio = this._origin();
      if (!studio) {
        this._frame.removeAttribute("src");
        return;
      }
      const url = new URL("/embed", studio);
      url.searchParams.set("origin", location.origin);
      const theme = this.getAttribute("theme");
      if (theme !== null) url.searchParams.set("theme", theme);
      const product = this.getAttribute("product");
      if (product !== null) url.hash = new URLSearchParams({ product }).toString();
      if (this._frame.src !== url.href) this._frame.src = url.href;
    }

    /** The studio's origin; null if `src` is not a web address. */
    _origin() {
      try {
        const { origin, protocol } = new URL(this.getAttribute("src") ?? "", location.href);
        return /^https?:$/.test(protocol) ? origin : null;
      } catch {
        return null;
      }
    }

    /** Accept messages of the studio's own frame only. @param {MessageEvent} event */
    _receive({ data, origin, source }) {
      if (source !== this._frame.contentWindow || origin !== this._origin()) return;
      if (data?.type !== "modiste:design") return;
      this._design = { z: data.z, code: data.code, link: data.link };
      this.dispatchEvent(
        new CustomEvent("modiste:design", { detail: this._design, bubbles: true, composed: true }),
      );
    }
  }

  if (!customElements.get("modiste-studio")) customElements.define("modiste-studio", ModisteStudio);
})();
