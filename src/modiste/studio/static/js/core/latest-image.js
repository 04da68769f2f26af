// A picture that shows the newest of the addresses it is given: the last one stays until the next is here, one at a time.

/** @param {HTMLImageElement} image @returns {(url: string) => void} */
export function newest(image) {
  const loader = new Image();
  let wanted = "";
  let loading = "";

  function next() {
    if (loading || !wanted) return;
    [loading, wanted] = [wanted, ""];
    loader.src = loading;
  }

  loader.onload = () => {
    image.src = loading;
    loading = "";
    next();
  };
  loader.onerror = () => {
    loading = "";
    next();
  };
  return (url) => {
    wanted = url === image.getAttribute("src") && !loading ? "" : url;
    next();
  };
}
