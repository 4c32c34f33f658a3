// Two photographs under one pair of eyes: zoom and pan move both; everything here changes only how they are shown.
const SVG = "http://www.w3.org/2000/svg";
const CLOSEST = 12;
const FLICKER_EVERY = 700; // ms; WCAG 2.3.1 allows three flashes a second

const stage = document.getElementById("stage");
const images = [...stage.querySelectorAll("img")];
const panes = [...stage.querySelectorAll(".pane")];
const view = { zoom: 1, x: 0, y: 0 }; // x, y: how far the upper left corner lies outside, in widths of the glass
let flickering = 0;

export function setUp() {
  for (const glass of stage.querySelectorAll(".glass")) glass.append(lines());
  for (const [id, act] of Object.entries(TOOLS)) document.getElementById(id).addEventListener("click", act);
  for (const id of ["brightness", "contrast"]) {
    document.getElementById(id).addEventListener("input", (e) => stage.style.setProperty(`--${id}`, e.target.value / 100));
  }
  stage.addEventListener("wheel", wheeled, { passive: false });
  stage.addEventListener("keydown", moved);
  follow();
}

export const TOOLS = {
  closer: () => zoom(1.25, 0.5, 0.5),
  farther: () => zoom(0.8, 0.5, 0.5),
  reset: () => { Object.assign(view, { zoom: 1, x: 0, y: 0 }); draw(); },
  flicker,
  grid: () => toggle("grid"),
  grey: () => toggle("grey"),
};

function toggle(name) {
  const on = stage.classList.toggle(name);
  document.getElementById(name).setAttribute("aria-pressed", String(on));
  return on;
}

function flicker() {
  clearInterval(flickering);
  const on = toggle("flicker");
  panes.forEach((pane, i) => pane.classList.toggle("lit", on && i === 0));
  if (on) flickering = setInterval(() => panes.forEach((pane) => pane.classList.toggle("lit")), FLICKER_EVERY);
}

function zoom(by, atX, atY) {
  const before = view.zoom;
  view.zoom = Math.min(CLOSEST, Math.max(1, before * by));
  const grew = view.zoom / before;
  view.x = (view.x + atX) * grew - atX;
  view.y = (view.y + atY) * grew - atY;
  draw();
}

function pan(x, y) { view.x += x; view.y += y; draw(); }

function draw() {
  const most = view.zoom - 1;
  view.x = Math.min(most, Math.max(0, view.x));
  view.y = Math.min(most, Math.max(0, view.y));
  const transform = `translate(${-view.x * 100}%, ${-view.y * 100}%) scale(${view.zoom})`;
  for (const image of images) image.style.transform = transform;
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
  const held = new Map();
  stage.addEventListener("pointerdown", (event) => {
    stage.setPointerCapture(event.pointerId);
    held.set(event.pointerId, within(event));
    stage.classList.add("held");
  });
  stage.addEventListener("pointermove", (event) => {
    const was = held.get(event.pointerId);
    if (!was) return;
    const now = { ...was, x: (event.clientX - was.glass.left) / was.glass.width, y: (event.clientY - was.glass.top) / was.glass.height };
    const other = [...held].find(([id]) => id !== event.pointerId)?.[1];
    if (other) zoom(apart(now, other) / Math.max(0.01, apart(was, other)), (now.x + other.x) / 2, (now.y + other.y) / 2);
    else pan(was.x - now.x, was.y - now.y);
    held.set(event.pointerId, now);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    stage.addEventListener(end, (event) => { held.delete(event.pointerId); stage.classList.toggle("held", held.size > 0); });
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
