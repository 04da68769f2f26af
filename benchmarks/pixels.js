// What the benchmark of the studio runs in the page. `watch` resolves with the milliseconds from `began` until an animation
// frame finds other pixels in the picture than there were; it reads a small copy, since reading must not be what is measured.
window.modisteBench = {
  canvas: new OffscreenCanvas(90, 120),
  sum() {
    const image = document.querySelector("#frame");
    const context = this.canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0, 90, 120);
    const { data } = context.getImageData(0, 0, 90, 120);
    let hash = 0;
    for (let i = 0; i < data.length; i += 4) hash = (hash * 31 + data[i] + 7 * data[i + 1] + 13 * data[i + 2]) | 0;
    return hash;
  },
  watch(began) {
    const before = this.sum();
    return new Promise((resolve) => {
      const look = () => {
        if (this.sum() !== before) resolve(performance.now() - began);
        else if (performance.now() - began > 2000) resolve(NaN);
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    });
  },
  arm() {
    const range = document.querySelector("[data-latent] input[type=range]");
    range.focus();
    range.addEventListener("keydown", () => { this.next = this.watch(performance.now()); }, { capture: true });
  },
  async blob(url) {
    const began = performance.now();
    const changed = this.watch(began);
    const answer = await fetch(url);
    const link = URL.createObjectURL(await answer.blob());
    const image = document.querySelector("#frame");
    image.src = link;
    const took = await changed;
    URL.revokeObjectURL(link);
    return took;
  },
  // While the mouse drags: the different pictures seen, and for each the milliseconds since its request was sent off, which
  // is at once where none is in flight.
  count() {
    const image = document.querySelector("#frame");
    let last = image.src;
    this.seen = new Set();
    this.took = [];
    this.counting = true;
    performance.setResourceTimingBufferSize(10_000);
    const look = () => {
      this.seen.add(this.sum());
      if (image.src !== last) {
        last = image.src;
        const sent = performance.getEntriesByName(last).at(-1)?.startTime;
        if (sent !== undefined) this.took.push(performance.now() - sent);
      }
      if (this.counting) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  },
};
