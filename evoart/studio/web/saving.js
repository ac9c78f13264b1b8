// The dialog that saves a picture as a file.

import { button, choice, dialog, el, slider } from "./dom.js";

const SIZES = [512, 1024, 2048, 4096, 8192];

// `picture` is a name that the server gave; `film` says whether there is a record of how it came about.
export function saveDialog(studio, picture, { film = false, formats = [["svg", "SVG"], ["png", "PNG"], ["webp", "WebP"], ["jpeg", "JPEG"], ["pdf", "PDF"]] } = {}) {
  const all = film ? [...formats, ["gif", "Film (GIF)"], ["animated-webp", "Film (WebP)"], ["mp4", "Film (MP4)"]] : formats;
  const size = slider("Long side", { min: 0, max: SIZES.length - 1, value: 2, show: (i) => `${SIZES[i]} px` });
  const format = choice("As", all, all[0][0], arrange);
  const go = button("save", "Save", async () => {
    go.disabled = true;
    go.lastChild.textContent = "Making it…";
    const made = await studio.shared("export", { picture, format: format.value, size: SIZES[size.value] });
    if (made) { studio.save(made.url, made.name); box.close(); }
    go.disabled = false;
    go.lastChild.textContent = "Save";
  }, { class: "main" });
  const { box } = dialog("Save", format.element, size.element, el("p", { class: "quiet" }, "The recipe is inside: evoart redo makes it again, and evoart render draws it at any size."), go);
  function arrange() { size.element.hidden = ["svg", "pdf", "gif", "animated-webp", "mp4", "json", "page", "safetensors"].includes(format.value); }
  arrange();
}
