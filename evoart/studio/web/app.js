// The studio's page: tabs, the stream of events, commands, messages, undo. Rooms are modules of their own.
//
// A ROOM is web/rooms/NAME.js, next to evoart/studio/rooms/NAME.py. It exports
//
//   export const icon = "breed";               // a name of ICONS in dom.js (add yours there)
//   export function mount(root, studio) {...}  // called once, when the room is first shown; `root` is its empty <section>
//
// `mount` fills `root` and returns an object with any of these, all optional:
//
//   shown(), hidden()         the tab was chosen, or left
//   room(view)                where the room stands: view.step (null: nothing yet) has id, label, pictures (names), state;
//                             view.undo and view.redo say whether they are possible. Called after `mount` and after every change.
//   run(status)               what is being made, whichever room asked: status.state is "idle", "running", "stopping" or
//                             "paused"; status.room says for which room; then also index, count, label, results, progress, curve
//   progress(data)            about four times a second while a run is on: figures, fraction, left, label, stage, index
//   picture(index, text)      the best so far of the run's job of that index, as SVG text; only for runs of this room
//   key(event)                a key was pressed that nobody else took (no field has the focus)
//   address(rest)             the page's address says #NAME/rest, at first or because the user went there
//
// The `studio` that a room gets:
//
//   await studio.post(command, data)     POST to /api/NAME/command; gives the answer, or null where it failed (the message
//                                        is shown already)
//   await studio.shared(command, data)   the same for commands of no room: pause, go-on, stop, live, command, mark, ...
//   studio.on(name, take)                take(data) for events that the room's Python sends: studio.bus.publish(name, data)
//   studio.say(text), studio.complain(text, hint)   messages to the user
//   studio.undo(), studio.redo(), studio.go(id)     steps of this room; the header's buttons and Ctrl Z call them too
//   studio.view, studio.run              the last that room(view) and run(status) were given
//   await studio.upload(file)            keeps a photograph: {name, width, height, title}, or null
//   studio.picture(name), studio.thumb(name), studio.photograph(name)   addresses for <img src>
//   studio.save(url, name)               lets the browser save a file, for example what Studio.export made
//   studio.address(rest)                 puts #NAME/rest into the address, without a step in the browser's history
//   studio.open(room, rest)              goes to another room
//   studio.showCommand(text)             shows a command line to copy
//
// SAVING TO THE WALL: the wall shows every step that has pictures, as long as no later step with pictures followed it, so
// there is nothing to do; studio.shared("mark", {id, kept: true}) makes a step a favourite that stays whatever follows,
// and {id, hidden: true} takes it off.

import { button, dialog, el, icon } from "./dom.js";

const root = document.documentElement;
const byId = (id) => document.getElementById(id);
const rooms = new Map(); // name -> {name, title, tab, section, studio, handlers, module, view}
const listeners = new Map(); // event -> functions
let current = null;
let run = { state: "idle" };
let boot = "";

// -- talking to the server ------------------------------------------------------------------------------------------

class Failure extends Error {
  constructor(message, hint) {
    super(message);
    this.hint = hint;
  }
}

async function send(path, body, type = "application/json") {
  let answer;
  try {
    answer = await fetch(path, { method: "POST", headers: { "Content-Type": type, "X-Evoart": "1" }, body });
  } catch {
    throw new Failure("The studio does not answer", "See whether it still runs in the terminal");
  }
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  throw new Failure(told.error ?? `The studio answered ${answer.status}`, told.hint ?? "");
}

async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    complain(error.message, error.hint);
    return null;
  }
}

const post = (room, command, data = {}) =>
  attempt(async () => (await send(`/api/${room}/${command}`, JSON.stringify(data))).json());

// The stream of events is read by fetch: unlike EventSource it says where it comes from. One stream a page.
async function listen() {
  let last = "", wait = 250;
  for (;;) {
    const watch = new AbortController();
    let alarm;
    const alive = () => { clearTimeout(alarm); alarm = setTimeout(() => watch.abort(), 40_000); };
    try {
      alive();
      const answer = await fetch("/events", { method: "POST", headers: { "Content-Type": "application/json", "X-Evoart": "1" }, body: JSON.stringify({ last }), signal: watch.signal });
      if (answer.status === 403) { byId("away").textContent = "The studio was started anew. Open the address that the terminal shows."; byId("away").hidden = false; return; }
      if (!answer.ok) throw new Error(String(answer.status));
      byId("away").hidden = true;
      wait = 250;
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        alive();
        const blocks = (rest + value).split("\n\n");
        rest = blocks.pop();
        for (const block of blocks) {
          const fields = Object.fromEntries(block.split("\n").filter((line) => !line.startsWith(":")).map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
          if (!fields.event) continue;
          last = fields.id;
          take(fields.event, JSON.parse(fields.data));
        }
      }
    } catch { /* the connection broke: try again */ }
    clearTimeout(alarm);
    byId("away").hidden = false;
    await new Promise((resolve) => setTimeout(resolve, wait));
    wait = Math.min(wait * 2, 4000);
  }
}

function take(name, data) {
  if (name === "state") {
    boot = data.boot;
    for (const each of data.rooms) addRoom(each);
    setRun(data.run);
    if (!current) route();
    else for (const room of rooms.values()) setView(room, room.view);
    root.dataset.ready = boot;
  } else if (name === "room") setView(rooms.get(data.room), data);
  else if (name === "run") setRun(data);
  else if (name === "progress") {
    run.progress = data;
    if (data.point?.length) (run.curve ??= []).push(...data.point);
    run.index = data.index;
    tellRooms("progress", data);
  } else if (name === "picture") show(data.index);
  else if (name === "note") say(data.text);
  else if (name === "failure") complain(data.error, data.hint);
  for (const each of listeners.get(name) ?? []) each(data);
}

// The latest picture of a run is fetched when the one before has been shown, so a slow network only drops some.
const fetching = new Set();
async function show(index) {
  const room = rooms.get(run.room);
  if (!room?.handlers?.picture || document.hidden) return;
  if (fetching.has(index)) { fetching.add(`again ${index}`); return; }
  fetching.add(index);
  try {
    const { svg } = await (await send("/api/studio/live", JSON.stringify({ index }))).json();
    if (svg) room.handlers.picture(index, svg);
    await new Promise((resolve) => requestAnimationFrame(resolve));
  } catch { /* the next one will come */ }
  fetching.delete(index);
  if (fetching.delete(`again ${index}`)) show(index);
}
document.addEventListener("visibilitychange", () => { if (!document.hidden) showAll(); });
const showAll = () => { for (const index of Object.keys(run.shown ?? {})) show(+index); };

// -- rooms ----------------------------------------------------------------------------------------------------------

function addRoom({ name, title, view }) {
  if (rooms.has(name)) { rooms.get(name).view = view; return; }
  const tab = el("button", { role: "tab", id: `tab-${name}`, "aria-controls": `room-${name}`, "aria-selected": "false", tabIndex: -1, onclick: () => go(name) }, icon(name), el("span", {}, title));
  const section = el("section", { id: `room-${name}`, role: "tabpanel", "aria-labelledby": `tab-${name}`, hidden: true, class: `room ${name}` });
  byId("tabs").append(tab);
  byId("rooms").append(section);
  const room = { name, title, tab, section, view, handlers: null };
  room.studio = facade(room);
  rooms.set(name, room);
}

function facade(room) {
  const { name } = room;
  return {
    name,
    get view() { return room.view; },
    get run() { return run; },
    post: (command, data) => post(name, command, data),
    shared: (command, data) => post("studio", command, data),
    on: (event, takes) => { listeners.set(event, [...(listeners.get(event) ?? []), takes]); },
    say, complain,
    undo: () => undo(name), redo: () => redo(name),
    go: (to) => post("studio", "go", { room: name, to }),
    upload: (file) => attempt(async () => (await send(`/api/upload?title=${encodeURIComponent((file.name ?? "").replace(/\.[^.]*$/, ""))}`, file, "application/octet-stream")).json()),
    picture: (file) => `/pictures/${file}`,
    thumb: (file) => `/thumbs/${file.replace(/\.[^.]*$/, ".webp")}`,
    photograph: (file) => `/photographs/${file}`,
    save: (url, as) => el("a", { href: url, download: as }).click(),
    address: (rest) => history.replaceState(null, "", `#${name}${rest ? `/${rest}` : ""}`),
    open: (other, rest = "") => go(other, rest),
    showCommand,
  };
}

const undo = (name) => post("studio", "undo", { room: name });
const redo = (name) => post("studio", "redo", { room: name });

async function go(name, rest = "") {
  const room = rooms.get(name);
  if (!room) return;
  if (current !== room) {
    if (current) {
      current.section.hidden = true;
      current.tab.setAttribute("aria-selected", "false");
      current.tab.tabIndex = -1;
      current.handlers?.hidden?.();
    }
    current = room;
    room.section.hidden = false;
    room.tab.setAttribute("aria-selected", "true");
    room.tab.tabIndex = 0;
    document.title = `${room.title} · evoart studio`;
    if (location.hash.slice(1).split("/")[0] !== name) history.replaceState(null, "", `#${name}`);
    if (!room.handlers) {
      const module = await import(`./rooms/${name}.js`);
      room.handlers ??= module.mount(room.section, room.studio) ?? {};
      room.handlers.run?.(run);
    }
    setView(room, room.view);
    room.handlers.shown?.();
    if (run.room === name) showAll();
  }
  if (rest) room.handlers.address?.(rest);
}

function route() {
  const [name, ...rest] = location.hash.slice(1).split("/");
  const busy = run.state !== "idle" && rooms.has(run.room) ? run.room : null;
  const first = rooms.keys().next().value;
  go(rooms.has(name) ? name : busy ?? first, rooms.has(name) ? rest.join("/") : "");
}
addEventListener("hashchange", route);

function setView(room, view) {
  if (!room) return;
  room.view = view;
  room.handlers?.room?.(view);
  if (room === current) setTools();
}

function setTools() {
  const busy = run.state === "running" || run.state === "stopping";
  byId("undo").disabled = busy || !current?.view?.undo;
  byId("redo").disabled = busy || !current?.view?.redo;
}

function setRun(status) {
  run = status;
  root.dataset.run = status.state;
  for (const room of rooms.values()) room.tab.classList.toggle("busy", status.room === room.name && status.state !== "idle");
  tellRooms("run", status);
  setTools();
  showAll();
}

function tellRooms(what, data) {
  for (const room of rooms.values()) room.handlers?.[what]?.(data);
}

function showCommand(command) {
  const copy = button("copy", "Copy", () => navigator.clipboard.writeText(command).then(() => { copy.lastChild.textContent = "Copied"; }, () => {}), { class: "main" });
  dialog("The command that makes this", el("pre", {}, command), copy);
}

// -- messages -------------------------------------------------------------------------------------------------------

function say(text) { message(text, "", "said"); }

function complain(text, hint = "") {
  const whole = `${text.slice(0, 1).toUpperCase()}${text.slice(1).replace(/\.$/, "")}.`;
  message(whole, hint && `${hint.replace(/[.?]$/, "")}.`, "wrong");
}

function message(text, hint, kind) {
  const shown = [...byId("messages").children].find((each) => each.dataset.text === text);
  shown?.remove();
  const box = el("div", { class: `message ${kind}`, data: { text } }, el("p", {}, el("b", {}, text), hint ? ` ${hint}` : ""), button("close", "Dismiss", () => box.remove(), { quiet: true, class: "plain" }));
  byId("messages").append(box);
  setTimeout(() => box.remove(), kind === "wrong" ? 20_000 : 6_000);
  while (byId("messages").children.length > 3) byId("messages").firstChild.remove();
}

// -- header and keys ------------------------------------------------------------------------------------------------

const stored = (() => { try { return localStorage.getItem("evoart-theme"); } catch { return null; } })();
if (stored) root.dataset.theme = stored;
byId("theme").addEventListener("click", () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try { localStorage.setItem("evoart-theme", root.dataset.theme); } catch { /* private browsing may have no storage */ }
});
for (const name of ["undo", "redo", "theme", "help"]) byId(name).append(icon(name));
byId("undo").addEventListener("click", () => current && undo(current.name));
byId("redo").addEventListener("click", () => current && redo(current.name));
byId("help").addEventListener("click", showKeys);

const KEYS = [["Ctrl Z, Ctrl Shift Z", "undo, redo"], ["1 to 6", "go to a room"], ["?", "this list"]];
function showKeys() {
  const more = current?.handlers?.keys ?? [];
  dialog("Keys", el("dl", { class: "keys" }, [...more, ...KEYS].flatMap(([key, what]) => [el("dt", {}, key.split(", ").map((each, i) => [i ? " " : "", el("kbd", {}, each)])), el("dd", {}, what)])));
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input:not([type=range]):not([type=checkbox]), textarea, select, [contenteditable]");
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "z") {
    if (typing) return;
    event.preventDefault();
    byId(event.shiftKey ? "redo" : "undo").click();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing || document.querySelector("dialog[open]")) return;
  const tabs = [...rooms.values()];
  if (event.target.role === "tab" && ["ArrowRight", "ArrowLeft"].includes(event.key)) {
    const next = tabs[(tabs.indexOf(current) + (event.key === "ArrowRight" ? 1 : tabs.length - 1)) % tabs.length];
    go(next.name);
    next.tab.focus();
    event.preventDefault();
  } else if (event.target.role === "tab" && event.key === " ") return;
  else if (event.key === "?") showKeys();
  else if (/^[1-9]$/.test(event.key) && tabs[event.key - 1]) go(tabs[event.key - 1].name);
  else current?.handlers?.key?.(event);
});

listen();
