// <modiste-studio src="https://studio.example" product="id" height="900" theme="dark">: the studio in a shop's own page.
// A plain script, so that any page can load it from the studio's server; it loads nothing else and keeps nothing.
(() => {
  "use strict";
  const HEIGHT = 900; // CSS pixels, unless the page says otherwise

  class ModisteStudio extends HTMLElement {
    static observedAttributes = ["src", "product", "height", "theme", "label"];

    connectedCallback() {
      if (!this._frame) {
        const root = this.attachShadow({ mode: "open" });
        this._frame = document.createElement("iframe");
        this._frame.allow = "clipboard-write";
        this._frame.style.cssText = "display: block; width: 100%; border: 0;";
        root.append(this._frame);
      }
      this._listen = (/** @type {MessageEvent} */ event) => this._heard(event);
      addEventListener("message", this._listen);
      this._show();
    }

    disconnectedCallback() {
      removeEventListener("message", this._listen);
    }

    attributeChangedCallback() {
      if (this._frame && this.isConnected) this._show();
    }

    /** The design that was last told: {z, code, link}; null before the first. */
    get design() {
      return this._design ?? null;
    }

    _show() {
      const height = Number(this.getAttribute("height"));
      this._frame.style.height = `${height > 0 ? height : HEIGHT}px`;
      this._frame.title = this.getAttribute("label") || "Design studio";
      const studio = this._studio();
      if (!studio) return this._frame.removeAttribute("src");
      const address = new URL("/embed", studio);
      address.searchParams.set("origin", location.origin);
      if (this.hasAttribute("theme")) address.searchParams.set("theme", this.getAttribute("theme"));
      if (this.hasAttribute("product")) address.hash = new URLSearchParams({ product: this.getAttribute("product") }).toString();
      if (this._frame.src !== address.href) this._frame.src = address.href;
    }

    /** The studio's origin; null where `src` is no address of the web. */
    _studio() {
      try {
        const { origin, protocol } = new URL(this.getAttribute("src"), location.href);
        return /^https?:$/.test(protocol) ? origin : null;
      } catch {
        return null;
      }
    }

    /** Only what the studio's own frame says counts. */
    _heard({ data, origin, source }) {
      if (source !== this._frame.contentWindow || origin !== this._studio() || data?.type !== "modiste:design") return;
      this._design = { z: data.z, code: data.code, link: data.link };
      this.dispatchEvent(new CustomEvent("modiste:design", { detail: this._design, bubbles: true, composed: true }));
    }
  }

  if (!customElements.get("modiste-studio")) customElements.define("modiste-studio", ModisteStudio);
})();
