// The room Wall: what was made, newest first; opened again in its room, saved together.

import { button, dialog, el } from "../dom.js";
import { saveDialog } from "../saving.js";

export const icon = "wall";

export function mount(root, studio) {
  root.classList.add("whole");
  let pictures = [], selected = new Set();

  const none = el("div", { class: "empty" }, el("div", { class: "words" }, el("h2", {}, "Nothing hangs here yet"), el("p", { class: "quiet" }, "Every picture that you make is kept here, with its recipe."), button("picture", "Draw a photograph", () => studio.open("picture"), { class: "main" })));
  const list = el("ul", { class: "hung", ariaLabel: "Pictures, newest first" });
  const count = el("span", { role: "status" });
  const all = button("check", "Select all", () => { selected = new Set(selected.size === pictures.length ? [] : pictures.map((each) => each.id)); arrange(); });
  const sheet = button("wall", "Contact sheet", () => save("sheet", sheet));
  const pages = button("open", "Gallery pages", () => save("pages", pages));
  const bar = el("div", { class: "wallbar" }, count, all, sheet, pages);
  root.append(none, el("div", { class: "scroll" }, bar, list));

  async function load() {
    const told = await studio.post("list");
    if (!told) return;
    pictures = told.pictures;
    selected = new Set([...selected].filter((id) => pictures.some((each) => each.id === id)));
    list.replaceChildren(...pictures.map(card));
    arrange();
  }

  function card(each) {
    const check = el("input", { type: "checkbox", ariaLabel: `Select ${each.title}`, onchange: () => { if (check.checked) selected.add(each.id); else selected.delete(each.id); arrange(); } });
    const when = new Date(1000 * each.made);
    return el("li", { data: { id: each.id } },
      el("button", { type: "button", class: "open", title: "Open it", onclick: () => look(each) }, el("img", { src: studio.thumb(each.picture), alt: `${each.title}, ${each.drawing || each.label}`, loading: "lazy" })),
      el("div", { class: "under" }, el("div", {}, el("b", {}, each.title), el("small", {}, [each.drawing || each.label, each.count > 1 ? `${each.count} pictures` : "", when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })].filter(Boolean).join(" · "))), check),
      each.kept ? el("span", { class: "kept", title: "A favourite" }, "★") : null);
  }

  function arrange() {
    none.hidden = pictures.length > 0;
    list.parentNode.hidden = !pictures.length;
    for (const item of list.children) {
      const on = selected.has(+item.dataset.id);
      item.classList.toggle("selected", on);
      item.querySelector("input").checked = on;
    }
    count.textContent = selected.size ? `${selected.size} of ${pictures.length} selected` : `${pictures.length} ${pictures.length === 1 ? "picture" : "pictures"}`;
    sheet.disabled = pages.disabled = !selected.size;
  }

  async function save(what, from) {
    from.disabled = true;
    const made = await studio.post(what, { ids: pictures.filter((each) => selected.has(each.id)).map((each) => each.id) });
    from.disabled = false;
    if (made) studio.save(made.url, made.name);
  }

  async function look(each) {
    const told = await studio.post("recipe", { id: each.id });
    if (!told) return;
    const { box } = dialog(told.title,
      el("img", { class: "large", src: studio.picture(each.picture), alt: told.title }),
      el("div", { class: "buttons" },
        button(each.room, "Open in its room", async () => { box.close(); await studio.shared("go", { room: each.room, to: each.id }); studio.open(each.room); }, { class: "main" }),
        button("save", "Save", () => { box.close(); saveDialog(studio, each.picture, each.picture.endsWith(".svg") ? {} : { formats: [["png", "PNG"], ["webp", "WebP"], ["jpeg", "JPEG"]] }); }),
        button("star", each.kept ? "No favourite" : "Favourite", async () => { box.close(); await studio.shared("mark", { id: each.id, kept: !each.kept }); }),
        button("trash", "Take it off", async () => { box.close(); await studio.shared("mark", { id: each.id, hidden: true }); })),
      el("details", {}, el("summary", {}, "Recipe"), el("dl", { class: "recipe" }, Object.entries({ ...told.job, ...told.figures }).filter(([name]) => !name.includes("sha256") && name !== "format").flatMap(([name, value]) => [el("dt", {}, name.replaceAll("_", " ")), el("dd", {}, typeof value === "number" ? String(+value.toPrecision(6)) : typeof value === "string" ? value : JSON.stringify(value))]))));
    box.classList.add("wide");
  }

  let shown = false;
  studio.on("room", () => { if (shown) load(); });
  studio.on("state", () => { if (shown) load(); });
  return { shown: () => { shown = true; load(); }, hidden: () => { shown = false; } };
}
