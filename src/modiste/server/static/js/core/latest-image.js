// An image that shows the newest of the URLs it is given. It loads one URL at a time and keeps the last picture until the next is loaded.

/** Return the function that sets the URL. @param {HTMLImageElement} image @returns {(url: string) => void} */
export function latestImage(image) {
  const loader = new Image();
  let wanted = "";
  let loading = "";

  function loadNext() {
    if (loading || !wanted) return;
    [loading, wanted] = [wanted, ""];
    loader.src = loading;
  }

  loader.onload = () => {
    image.src = loading;
    loading = "";
    loadNext();
  };
  loader.onerror = () => {
    loading = "";
    loadNext();
  };
  return (url) => {
    wanted = url === image.getAttribute("src") && !loading ? "" : url;
    loadNext();
  };
}
