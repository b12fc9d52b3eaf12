/* The board as a picture to keep: SVG whose text stays text, and PNG drawn from it by the reader's own browser. */
const KEPT = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "opacity",
  "font-size", "font-weight", "font-family", "text-anchor", "letter-spacing"];
const SHADED = "text, tspan, rect, path, circle";

/** Return the picture by itself: every look written where it applies, every text as wide as it is here. */
function standalone(view) {
  const copy = view.svg.cloneNode(true), box = view.svg.viewBox.baseVal, air = 16;
  const seen = [...view.svg.querySelectorAll(SHADED)], drawn = [...copy.querySelectorAll(SHADED)];
  const gone = [];
  seen.forEach((node, n) => {
    const look = getComputedStyle(node);
    if (look.display === "none" || node.classList.contains("hand") || node.classList.contains("halo") || node.closest(".fold:not(.shut)")) return gone.push(drawn[n]);
    for (const name of KEPT) drawn[n].setAttribute(name, look.getPropertyValue(name));
    if (node.localName === "text" && node.textContent) {
      drawn[n].setAttribute("textLength", node.getComputedTextLength().toFixed(1)); // another font may not run over
      drawn[n].setAttribute("lengthAdjust", "spacingAndGlyphs");
    }
  });
  for (const node of gone) node.remove();
  for (const node of [copy, ...copy.querySelectorAll("*")]) for (const name of ["class", "style", "tabindex", "data-id"]) node.removeAttribute(name);
  for (const node of copy.querySelectorAll("g")) if (!node.textContent && !node.querySelector(SHADED)) node.remove();
  const size = { width: box.width + 2 * air, height: box.height + 2 * air };
  set(copy, { xmlns: SVG, ...size, viewBox: `${box.x - air} ${box.y - air} ${size.width} ${size.height}`, "xml:lang": view.data.language });
  const paper = set(shape("rect"), { x: box.x - air, y: box.y - air, ...size, fill: paperOf(view) });
  copy.insertBefore(paper, copy.firstChild);
  return { text: new XMLSerializer().serializeToString(copy), ...size };
}

function paperOf(view) {
  for (let node = view.root; node; node = node.parentElement ?? node.getRootNode().host) {
    const colour = getComputedStyle(node).backgroundColor;
    if (colour && !/rgba\(.*, 0\)|transparent/.test(colour)) return colour;
  }
  return "#ffffff";
}

function takeSvg(view) {
  save(new Blob([standalone(view).text], { type: "image/svg+xml" }), "svg");
}

function takePng(view) {
  const { text, width, height } = standalone(view), image = new Image(), twice = Math.min(2, 8000 / Math.max(width, height));
  image.onload = () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: Math.round(width * twice), height: Math.round(height * twice) });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => blob && save(blob, "png"));
  };
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
}

function save(blob, ending) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: `gyakusan.${ending}` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
