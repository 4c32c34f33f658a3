// One person, one search, fifteen minutes. What is shown depends on why they are here.
import * as checklist from "/viewer/checklist.js";
import * as preparation from "/viewer/preparation.js";
import * as stage from "/viewer/stage.js";

const ENDED = "This view has ended. Nothing that was kept is lost. Open the viewer from Slack again.";
const at = (id) => document.getElementById(id);
const chooser = at("candidate");
let sight;

function ended() {
  for (const image of document.images) image.removeAttribute("src");
  document.querySelector("main").hidden = true;
  at("closed").textContent = ENDED;
  at("closed").hidden = false;
}

function show(label) {
  chooser.value = label;
  const name = sight === "lead" ? "Arrest photograph" : `Candidate ${label}`;
  at("candidate-name").textContent = name;
  at("shown").alt = name;
  at("shown").src = `/viewer/pictures/${label}`;
  checklist.show(label);
}

function turn(by) {
  const index = chooser.selectedIndex + by;
  if (index >= 0 && index < chooser.options.length) show(chooser.options[index].value);
}

function count(until) {
  const left = Math.round((until - performance.now()) / 60000);
  at("left").textContent = left > 1 ? `${left} minutes left` : "about to end";
  if (performance.now() >= until) ended();
}

const KEYS = {
  j: () => checklist.step(1), k: () => checklist.step(-1),
  n: () => turn(1), p: () => turn(-1),
  f: stage.TOOLS.flicker, g: stage.TOOLS.grid, y: stage.TOOLS.grey,
  "+": stage.TOOLS.closer, "=": stage.TOOLS.closer, "-": stage.TOOLS.farther, 0: stage.TOOLS.reset,
  1: () => checklist.choose(0), 2: () => checklist.choose(1), 3: () => checklist.choose(2), 4: () => checklist.choose(3),
};

function pressed(event) {
  const writing = event.target.matches("input[type=text], select");
  if (writing || event.ctrlKey || event.metaKey || event.altKey || !at("shortcuts").checked) return;
  if (KEYS[event.key]) { event.preventDefault(); KEYS[event.key](); }
}

// Examiners compare; supervisors and requesters look, and are told what they look at.
function arrange(sheet) {
  const compares = sheet.components.length > 0, prepares = sheet.sight === "preparation";
  at("checklist").hidden = !compares;
  at("preparation").hidden = !prepares;
  at("main").classList.toggle("alone", !compares && !prepares);
  at("told").hidden = compares;
  at("sheet").hidden = !sheet.sheet;
  at("told").textContent = sheet.told;
  at("candidates").hidden = sheet.candidates.length < 2;
  const single = sheet.candidates.length === 0 && !prepares;
  at("candidate-pane").hidden = single;
  at("flicker").hidden = single;
  at("stage").classList.toggle("single", single);
  at("copy").hidden = !sheet.prepared || prepares;
  if (prepares) {
    preparation.setUp(sheet, latest, ended);
    at("candidate-name").textContent = at("shown").alt = "Latest copy";
    latest();
  }
}

// The copy changes under the same name: each is asked for anew.
let copies = 0;
function latest() { at("shown").src = `/viewer/pictures/prepared?${copies += 1}`; }

// The submitted image and the copy that was searched with, one at a time in the same place.
function swapped() {
  const copy = at("copy").getAttribute("aria-pressed") !== "true";
  at("copy").setAttribute("aria-pressed", String(copy));
  at("probe").src = `/viewer/pictures/${copy ? "prepared" : "probe"}`;
  at("probe").alt = at("probe-name").textContent = copy ? "Prepared copy, not decided on" : "Submitted image";
}

async function begin() {
  const answer = await fetch("/viewer/sheet.json");
  if (!answer.ok) { ended(); return; }
  const sheet = await answer.json();
  at("examination").textContent = sheet.examination;
  at("viewer").textContent = sheet.viewer;
  document.title = `Leadgate viewer: ${sheet.examination}`;
  sight = sheet.sight;
  arrange(sheet);
  stage.setUp();
  checklist.setUp(sheet, ended);
  chooser.append(...sheet.candidates.map((label) => new Option(label, label)));
  chooser.addEventListener("change", () => show(chooser.value));
  at("copy").addEventListener("click", swapped);
  at("before").addEventListener("click", () => turn(-1));
  at("next").addEventListener("click", () => turn(1));
  document.addEventListener("keydown", pressed);
  at("probe").src = `/viewer/pictures/${sheet.picture}`;
  if (sheet.candidates.length) show(sheet.candidates[0]);
  const until = performance.now() + sheet.seconds * 1000;
  count(until);
  setInterval(() => count(until), 5000);
}

begin();
