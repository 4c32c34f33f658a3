// One person, one search, fifteen minutes. What is shown depends on why they are here.
import * as checklist from "/viewer/checklist.js";
import * as preparation from "/viewer/preparation.js";
import * as stage from "/viewer/stage.js";

const ENDED = "This view has ended. Nothing that was kept is lost. Open the viewer from Slack again.";
const LEFT = 0, RIGHT = 1;
const WRITES = "select, textarea, input:not([type=radio], [type=checkbox], [type=range])";
const at = (id) => document.getElementById(id);
const chooser = at("candidate");
let sheet, photograph = 0;

function ended() {
  for (const image of document.images) image.removeAttribute("src");
  at("main").hidden = true;
  at("closed").textContent = ENDED;
  at("closed").hidden = false;
}

function show(label) {
  chooser.value = label;
  checklist.show(label);
  photographed(0);
}

// Every photograph of a candidate that may be shown, one at a time (M15).
function photographed(index) {
  const names = sheet.photographs[chooser.value];
  photograph = (index + names.length) % names.length;
  const name = sheet.sight === "lead" ? "Arrest photograph" : `Candidate ${chooser.value}`;
  const which = `${photograph + 1} of ${names.length}`;
  at("candidate-name").textContent = name;
  at("photographs").hidden = names.length < 2;
  at("photograph").textContent = which;
  stage.show(RIGHT, names[photograph], names.length > 1 ? `${name}, photograph ${which}` : name);
}

function turn(by) {
  const index = chooser.selectedIndex + by;
  if (index >= 0 && index < chooser.options.length) show(chooser.options[index].value);
}

function onward() {
  turn(1);
  at("compare").scrollIntoView();
  chooser.focus();
}

function count(until) {
  const left = Math.round((until - performance.now()) / 60000);
  at("left").textContent = left > 1 ? `${left} minutes left` : "about to end";
  if (performance.now() >= until) ended();
}

const KEYS = {
  f: stage.TOOLS.flicker, g: stage.TOOLS.grid, y: stage.TOOLS.grey, e: stage.TOOLS.register, a: stage.whatMoves,
  "+": stage.TOOLS.closer, "=": stage.TOOLS.closer, "-": stage.TOOLS.farther, 0: stage.TOOLS.reset,
};
const TURNS = { n: () => turn(1), p: () => turn(-1), o: () => photographed(photograph + 1) };
const COMPARES = {
  j: () => checklist.step(1), k: () => checklist.step(-1),
  1: () => checklist.choose(0), 2: () => checklist.choose(1), 3: () => checklist.choose(2), 4: () => checklist.choose(3),
};

function pressed(event) {
  if (event.target.matches(WRITES) || event.ctrlKey || event.metaKey || event.altKey || !at("shortcuts").checked) return;
  const keys = { ...KEYS, ...(sheet.candidates.length ? TURNS : {}), ...(sheet.components.length ? COMPARES : {}) };
  if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
}

// Examiners compare; supervisors and requesters look, and are told what they look at.
function arrange() {
  const compares = sheet.components.length > 0, prepares = sheet.sight === "preparation";
  const single = sheet.candidates.length === 0 && !prepares;
  at("checklist").hidden = !compares;
  at("preparation").hidden = !prepares;
  at("main").classList.toggle("alone", !compares && !prepares);
  at("told").hidden = compares;
  at("sheet").hidden = !sheet.sheet;
  at("told").textContent = sheet.told;
  at("candidates").hidden = sheet.candidates.length < 2;
  for (const id of ["candidate-pane", "flicker", "moves-label"]) at(id).hidden = single;
  at("register").hidden = single || prepares;
  at("register").setAttribute("aria-pressed", String(!single && !prepares));
  at("stage").classList.toggle("single", single);
  at("copy").hidden = !sheet.prepared || prepares;
  for (const item of document.querySelectorAll(".keys .compares")) item.hidden = !compares;
  for (const item of document.querySelectorAll(".keys .turns")) item.hidden = !sheet.candidates.length;
  return { registers: !single && !prepares, gone: ended };
}

// The copy changes under the same name: each is asked for anew.
let copies = 0;
async function latest() {
  at("candidate-name").textContent = "Latest copy";
  const picture = await stage.show(RIGHT, `prepared?${copies += 1}`, "Latest copy");
  if (picture) preparation.shown(picture);
}

// The submitted image and the copy that was searched with, one at a time in the same place.
function swapped() {
  const copy = at("copy").getAttribute("aria-pressed") !== "true";
  at("copy").setAttribute("aria-pressed", String(copy));
  at("probe-name").textContent = copy ? "Prepared copy, not decided on" : "Submitted image";
  stage.show(LEFT, copy ? "prepared" : "probe", at("probe-name").textContent);
}

async function begin() {
  const answer = await fetch("/viewer/sheet.json");
  if (!answer.ok) { ended(); return; }
  sheet = await answer.json();
  at("title").textContent = sheet.title;
  at("examination").textContent = sheet.examination;
  at("viewer").textContent = sheet.viewer;
  document.title = `Leadgate viewer: ${sheet.title} ${sheet.examination}`;
  stage.setUp(arrange());
  checklist.setUp(sheet, ended);
  chooser.append(...sheet.candidates.map((label) => new Option(label, label)));
  chooser.addEventListener("change", () => show(chooser.value));
  at("copy").addEventListener("click", swapped);
  at("before").addEventListener("click", () => turn(-1));
  at("next").addEventListener("click", () => turn(1));
  at("onward").addEventListener("click", onward);
  at("photograph-before").addEventListener("click", () => photographed(photograph - 1));
  at("photograph-next").addEventListener("click", () => photographed(photograph + 1));
  document.addEventListener("keydown", pressed);
  stage.show(LEFT, sheet.picture, at("probe-name").textContent);
  if (sheet.sight === "preparation") { preparation.setUp(sheet, latest, ended); latest(); }
  if (sheet.candidates.length) show(sheet.candidates[0]);
  const until = performance.now() + sheet.seconds * 1000;
  count(until);
  setInterval(() => count(until), 5000);
}

begin();
