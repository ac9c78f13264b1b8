"use strict";
// One script for both kinds of pages. Nothing is fetched: the index holds its data, so that pages open from a disk too.
const root = document.documentElement;
const stored = (() => { try { return localStorage.getItem("evoart-theme"); } catch { return null; } })();
if (stored) root.dataset.theme = stored;
document.getElementById("theme").addEventListener("click", () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try { localStorage.setItem("evoart-theme", root.dataset.theme); } catch { /* a page from a disk may have no storage */ }
});

const grid = document.getElementById("grid");
if (grid) index(); else picture();

function index() {
  const rows = JSON.parse(document.getElementById("data").textContent);
  const [search, form, sort, count, more, none] = ["search", "form", "sort", "count", "more", "none"].map((id) => document.getElementById(id));
  const STEP = 120;
  let shown = rows, drawn = 0;

  const state = new URLSearchParams(location.hash.slice(1));
  search.value = state.get("q") ?? "";
  if ([...form.options].some((o) => o.value === state.get("form"))) form.value = state.get("form");
  if ([...sort.options].some((o) => o.value === state.get("sort"))) sort.value = state.get("sort");

  const orders = {
    order: (a, b) => a.i - b.i,
    name: (a, b) => a.title.localeCompare(b.title) || a.i - b.i,
    score: (a, b) => (b.score ?? -1e9) - (a.score ?? -1e9) || a.i - b.i,
    seed: (a, b) => a.seed - b.seed || a.i - b.i,
    form: (a, b) => a.form.localeCompare(b.form) || a.i - b.i,
  };

  function update() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    shown = rows
      .filter((r) => (!form.value || r.form === form.value) && words.every((w) => r.text.includes(w)))
      .sort(orders[sort.value]);
    count.textContent = `${shown.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")}`;
    none.hidden = shown.length > 0;
    none.textContent = shown.length ? "" : rows.length ? "No picture matches. Clear the filter to see all." : "There are no pictures yet.";
    grid.replaceChildren();
    drawn = 0;
    draw();
    const kept = new URLSearchParams();
    if (search.value) kept.set("q", search.value);
    if (form.value) kept.set("form", form.value);
    if (sort.value !== "order") kept.set("sort", sort.value);
    history.replaceState(null, "", `${location.pathname}${location.search}${kept.size ? "#" + kept : ""}`);
  }

  function draw() {
    for (const row of shown.slice(drawn, drawn + STEP)) grid.append(card(row));
    drawn = Math.min(drawn + STEP, shown.length);
    more.hidden = drawn >= shown.length;
  }

  new IntersectionObserver((entries) => { if (entries.some((e) => e.isIntersecting) && drawn < shown.length) draw(); }, { rootMargin: "800px" }).observe(more);
  more.addEventListener("click", draw);
  for (const each of [search, form, sort]) each.addEventListener("input", update);
  update();

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = ["INPUT", "SELECT", "TEXTAREA"].includes(document.activeElement.tagName);
    if (event.key === "Escape" && typing) { search.value = ""; update(); document.activeElement.blur(); return; }
    if (typing) return;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(), ArrowUp: -columns(), j: 1, k: -1 }[event.key];
    if (event.key === "/") { event.preventDefault(); search.focus(); return; }
    if (!step) return;
    const cards = [...grid.querySelectorAll("a")];
    const at = cards.indexOf(document.activeElement);
    const next = cards[at < 0 ? 0 : Math.max(0, Math.min(cards.length - 1, at + step))];
    if (next) { event.preventDefault(); next.focus(); next.scrollIntoView({ block: "nearest" }); }
  });
  const columns = () => getComputedStyle(grid).gridTemplateColumns.split(" ").length;
}

function card(row) {
  const item = document.createElement("li"), link = document.createElement("a"), image = document.createElement("img");
  const name = document.createElement("b"), facts = document.createElement("small");
  link.className = "card";
  link.href = row.page;
  image.loading = "lazy";
  image.decoding = "async";
  image.src = row.thumb;
  image.alt = row.title;
  name.textContent = row.title;
  facts.textContent = row.facts;
  link.append(image, name, facts);
  if (row.film) {
    const play = () => { image.src = row.film; }, rest = () => { image.src = row.thumb; };
    link.addEventListener("mouseenter", play);
    link.addEventListener("mouseleave", rest);
    link.addEventListener("focus", play);
    link.addEventListener("blur", rest);
  }
  item.append(link);
  return item;
}

function picture() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const link = document.getElementById({ ArrowLeft: "before", ArrowRight: "after", k: "before", j: "after", Escape: "up" }[event.key] ?? "");
    if (link) location.href = link.href;
  });
  const film = document.getElementById("film");
  if (film) {
    const image = document.querySelector("figure img"), still = image.src;
    film.addEventListener("click", () => {
      const playing = image.src !== still;
      image.src = playing ? still : film.dataset.film;
      film.textContent = playing ? "Play its evolution" : "Show the picture";
    });
  }
  const copy = document.getElementById("copy");
  if (copy && navigator.clipboard) {
    copy.hidden = false;
    copy.addEventListener("click", () => navigator.clipboard.writeText(document.getElementById("command").textContent).then(() => { copy.textContent = "Copied"; }, () => {}));
  }
}
