// Two photographs under one pair of eyes: zoom and pan move both, or one alone; all of it changes only how they are shown.
import { byTheFace, hasFace, whole } from "/viewer/register.js";

const SVG = "http://www.w3.org/2000/svg";
const CLOSEST = 12, FARTHEST = 0.4;
const FLICKER_EVERY = 700; // ms; WCAG 2.3.1 allows three flashes a second
const AGAIN = "Try again";
const SAID = {
  404: "This photograph may no longer be shown. It may have been sealed meanwhile.",
  other: "This photograph cannot be fetched just now.",
};

const stage = document.getElementById("stage");
const images = [...stage.querySelectorAll("img")];
const panes = [...stage.querySelectorAll(".pane")];
const glasses = [...stage.querySelectorAll(".glass")];
const moves = document.getElementById("moves");
const aligned = document.getElementById("aligned");
// x, y: how far the upper left corner lies outside, in widths and heights of the glass
const unmoved = () => ({ zoom: 1, x: 0, y: 0 });
const view = unmoved(), alone = [unmoved(), unmoved()];
const pictures = [null, null]; // what is shown: size in pixels, and the landmarks of the face
const asked = [0, 0];
let flickering = 0, registers = true, gone, drawn = () => {};

export function setUp(options) {
  ({ registers, gone } = options);
  for (const glass of glasses) glass.append(lines());
  for (const [id, act] of Object.entries(TOOLS)) document.getElementById(id)?.addEventListener("click", act);
  for (const id of ["brightness", "contrast"]) {
    document.getElementById(id).addEventListener("input", (e) => stage.style.setProperty(`--${id}`, e.target.value / 100));
  }
  stage.addEventListener("wheel", wheeled, { passive: false });
  stage.addEventListener("keydown", moved);
  new ResizeObserver(draw).observe(glasses[0]);
  new ResizeObserver(draw).observe(glasses[1]);
  follow();
}

export function onDrawn(act) { drawn = act; }

export const TOOLS = {
  closer: () => zoom(1.25, 0.5, 0.5),
  farther: () => zoom(0.8, 0.5, 0.5),
  reset: () => { for (const one of [view, ...alone]) Object.assign(one, unmoved()); draw(); },
  register: () => { registers = toggle("register", document.getElementById("register")); draw(); },
  flicker,
  grid: () => toggle("grid"),
  grey: () => toggle("grey"),
};

export function whatMoves() { moves.selectedIndex = (moves.selectedIndex + 1) % moves.options.length; }

// --- what is shown --------------------------------------------------------------------------------------------------

// The photograph of that name behind one of the two glasses, once it and the place of the face in it are known.
export async function show(which, name, alt) {
  const image = images[which], turn = (asked[which] += 1);
  pictures[which] = null;
  image.alt = alt;
  image.classList.add("waiting");
  say(which, "Loading …");
  image.src = `/viewer/pictures/${name}`;
  const [answer, came] = await Promise.all([
    fetch(`/viewer/places/${name.split("?")[0]}`).catch(() => null),
    image.decode().then(() => true, () => false),
  ]);
  const place = answer?.ok ? await answer.json() : { landmarks: [], size: [0, 0] };
  if (turn !== asked[which]) return null; // another was asked for meanwhile
  if (answer?.status === 403) { gone(); return null; }
  if (!came) { say(which, SAID[answer?.status] ?? SAID.other, () => show(which, name, alt)); return null; }
  say(which, "");
  pictures[which] = { width: image.naturalWidth, height: image.naturalHeight, ...place };
  image.classList.remove("waiting");
  Object.assign(alone[which], unmoved());
  draw();
  return pictures[which];
}

// A sentence in the photograph's place; with what may be done about it.
function say(which, what, act) {
  glasses[which].querySelector(".said")?.remove();
  if (!what) return;
  const said = document.createElement("div");
  said.className = "said";
  said.setAttribute("role", act ? "alert" : "status");
  said.append(Object.assign(document.createElement("p"), { textContent: what }));
  if (act) {
    const again = Object.assign(document.createElement("button"), { type: "button", textContent: AGAIN });
    again.addEventListener("click", act);
    said.append(again);
  }
  glasses[which].append(said);
}

// From pixels of the photograph to pixels of its glass.
export function matrix(which) {
  const glass = { width: glasses[which].clientWidth, height: glasses[which].clientHeight };
  const lies = inRegister() ? byTheFace : whole;
  return [view, alone[which]].map((one) => shifted(one, glass)).reduce((a, b) => a.multiply(b)).multiply(lies(pictures[which], glass));
}

function shifted({ zoom, x, y }, glass) { return new DOMMatrix([zoom, 0, 0, zoom, -x * glass.width, -y * glass.height]); }

function inRegister() { return registers && pictures.every((one) => one && hasFace(one)); }

function draw() {
  images.forEach((image, which) => { if (pictures[which]) image.style.transform = matrix(which).toString(); });
  const missed = registers && pictures.every(Boolean) && !inRegister();
  aligned.textContent = missed
    ? "No face was found in one of the photographs. To align them, choose which one moves alone."
    : "";
  drawn();
}

function toggle(name, button = document.getElementById(name)) {
  const on = button.getAttribute("aria-pressed") !== "true";
  stage.classList.toggle(name, on);
  button.setAttribute("aria-pressed", String(on));
  return on;
}

function flicker() {
  clearInterval(flickering);
  const on = toggle("flicker");
  panes.forEach((pane, i) => pane.classList.toggle("lit", on && i === 0));
  if (on) flickering = setInterval(() => panes.forEach((pane) => pane.classList.toggle("lit")), FLICKER_EVERY);
  draw();
}

// --- moving ---------------------------------------------------------------------------------------------------------

// What is moved, and what lies over it: one photograph alone moves beneath the common view.
function moving() { return moves.value === "both" ? [view, unmoved()] : [alone[Number(moves.value)], view]; }

function zoom(by, atX, atY) {
  const [one, over] = moving();
  const x = (atX + over.x) / over.zoom, y = (atY + over.y) / over.zoom, before = one.zoom;
  one.zoom = Math.min(CLOSEST, Math.max(FARTHEST, before * by));
  const grew = one.zoom / before;
  one.x = (one.x + x) * grew - x;
  one.y = (one.y + y) * grew - y;
  held(one);
}

function pan(x, y) {
  const [one, over] = moving();
  one.x += x / over.zoom;
  one.y += y / over.zoom;
  held(one);
}

// Nothing is lost outside: what lies in the middle of the glass lies in the middle of half of it at least.
function held(one) {
  for (const axis of ["x", "y"]) one[axis] = Math.min(one.zoom - 0.5, Math.max(-0.5, one[axis]));
  draw();
}

function within(event) {
  const glass = (event.target.closest(".pane") ?? panes[0]).querySelector(".glass").getBoundingClientRect();
  return { x: (event.clientX - glass.left) / glass.width, y: (event.clientY - glass.top) / glass.height, glass };
}

function wheeled(event) {
  event.preventDefault();
  const at = within(event);
  zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15, at.x, at.y);
}

function moved(event) {
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (!step || event.target !== stage) return;
  event.preventDefault();
  pan(step[0] * 0.1, step[1] * 0.1);
}

// One finger or the mouse moves, two fingers zoom.
function follow() {
  const down = new Map();
  stage.addEventListener("pointerdown", (event) => {
    if (event.defaultPrevented || !event.target.closest(".glass") || event.target.closest("button")) return;
    stage.setPointerCapture(event.pointerId);
    down.set(event.pointerId, within(event));
    stage.classList.add("held");
  });
  stage.addEventListener("pointermove", (event) => {
    const was = down.get(event.pointerId);
    if (!was) return;
    const now = { ...was, x: (event.clientX - was.glass.left) / was.glass.width, y: (event.clientY - was.glass.top) / was.glass.height };
    const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
    if (other) zoom(apart(now, other) / Math.max(0.01, apart(was, other)), (now.x + other.x) / 2, (now.y + other.y) / 2);
    else pan(was.x - now.x, was.y - now.y);
    down.set(event.pointerId, now);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    stage.addEventListener(end, (event) => { down.delete(event.pointerId); stage.classList.toggle("held", down.size > 0); });
  }
}

function apart(a, b) { return Math.hypot(a.x - b.x, a.y - b.y); }

// --- what lies over the photographs ---------------------------------------------------------------------------------

function svg(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function lines() {
  const all = [];
  for (let n = 1; n < 10; n += 1) {
    const at = `${n * 10}%`, look = { stroke: "#7fd0ff", "stroke-opacity": n === 5 ? 0.9 : 0.45 };
    all.push(svg("line", { x1: at, x2: at, y1: 0, y2: "100%", ...look }), svg("line", { y1: at, y2: at, x1: 0, x2: "100%", ...look }));
  }
  return svg("svg", { class: "over lines", "aria-hidden": "true" }, ...all);
}
