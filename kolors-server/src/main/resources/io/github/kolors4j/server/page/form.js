// The form: what to draw. Its values have the names of the API; what was typed survives a reload.

import { $ } from "./page.js";
import * as start from "./start.js";
import { language, onLanguage, say } from "./words.js";

const DRAFT = "kolors.draft";
const RATIOS = [[1, 1], [4, 3], [3, 4], [3, 2], [2, 3], [16, 9], [9, 16]];

/** Where the values of the API are in the form. */
const FIELDS = {
  prompt: "prompt",
  negative_prompt: "negative",
  width: "width",
  height: "height",
  num_inference_steps: "steps",
  guidance_scale: "guidance",
  scheduler: "scheduler",
  seed: "seed",
  n: "count",
  strength: "strength",
};
const TEXTS = new Set(["prompt", "negative_prompt", "scheduler", "seed"]);
/** What belongs to the model: another one begins with its own. */
const OF_MODEL = ["width", "height", "num_inference_steps", "guidance_scale", "scheduler"];

let server;
let sized = () => {};

/** Makes the form ready for what the server draws with; the listener gets each new size. */
export async function setUp(info, onSize) {
  server = info;
  sized = onSize;
  $("count").max = info.maxImages ?? 10;
  for (const side of ["width", "height"]) {
    $(side).step = info.multiple;
    $(side).min = info.multiple;
    $(side).addEventListener("input", showShape);
  }
  fillShapes();
  fillSchedulers();
  onLanguage(() => {
    fillShapes();
    fillSchedulers($("scheduler").value);
  });
  $("turn").addEventListener("click", () => setSize($("height").value, $("width").value));
  for (const range of document.querySelectorAll("input[type=range][data-for]")) {
    const exact = $(range.dataset.for);
    range.addEventListener("input", () => (exact.value = range.value));
    exact.addEventListener("input", () => (range.value = exact.value));
  }
  for (const example of document.querySelectorAll(".example")) {
    example.addEventListener("click", () => {
      $("prompt").value = example.textContent;
      $("prompt").focus();
      save();
      showExamples();
    });
  }
  $("prompt").addEventListener("input", showExamples);
  $("seed").addEventListener("input", () => ($("random").checked = $("seed").value === ""));
  $("reset").addEventListener("click", () => {
    fill(defaults());
    fill({ negative_prompt: "", n: 1, strength: 0.6, seed: "" });
    $("random").checked = true;
    save();
  });
  $("more").addEventListener("toggle", save);
  $("form").addEventListener("input", save);

  fill(defaults());
  restore();
  await start.setUp((width, height) => {
    fitTo(width, height);
    save();
  });
}

const defaults = () => ({ ...server.defaults, scheduler: "" });

function restore() {
  let draft = null;
  try {
    draft = JSON.parse(localStorage.getItem(DRAFT));
  } catch {
    // None, or not ours.
  }
  if (draft) {
    const { values, random, open, model } = draft;
    if (model !== server.model) for (const name of OF_MODEL) delete values[name];
    fill(values);
    $("random").checked = random;
    $("more").open = open;
  }
  showExamples();
}

function save() {
  const values = Object.fromEntries(Object.entries(FIELDS).map(([name, id]) => [name, $(id).value]));
  const draft = { values, random: $("random").checked, open: $("more").open, model: server.model };
  try {
    localStorage.setItem(DRAFT, JSON.stringify(draft));
  } catch {
    // It lasts as long as the page.
  }
}

/** Puts values into the form, those that are given. */
export function fill(values) {
  for (const [name, id] of Object.entries(FIELDS)) {
    if (values[name] === undefined) continue;
    $(id).value = values[name];
    const range = document.querySelector(`input[type=range][data-for=${id}]`);
    if (range) range.value = values[name];
  }
  // A scheduler that this server does not have.
  if ($("scheduler").selectedIndex < 0) $("scheduler").value = "";
  showShape();
  showExamples();
}

/** Puts everything that made a picture into the form, its seed as well. */
export async function reuse({ parameters, start: from }) {
  fill({ negative_prompt: "", scheduler: "", n: 1, ...parameters });
  $("random").checked = false;
  $("more").open = true;
  await start.set(from ?? null);
  // The size that it had, which need not be that of the picture it started from.
  setSize(parameters.width, parameters.height);
  save();
  $("prompt").focus();
}

/** What to send, with the seed drawn where none is fixed; null, and a word at the field, where a value is missing. */
export function read({ anotherSeed = false } = {}) {
  // A field in a closed part could not be shown.
  if (!$("form").checkValidity()) $("more").open = true;
  if (!$("form").reportValidity()) return null;
  if ($("random").checked || $("seed").value === "" || anotherSeed) $("seed").value = drawSeed();
  save();
  const parameters = {};
  for (const [name, id] of Object.entries(FIELDS)) {
    const value = $(id).value;
    parameters[name] = TEXTS.has(name) ? value : Number(value);
  }
  if (parameters.scheduler === "") delete parameters.scheduler;
  if (!start.start()) delete parameters.strength;
  return { parameters, start: start.start() };
}

/** 32 bits: short enough to be read out, many enough never to meet again. */
const drawSeed = () => String(crypto.getRandomValues(new Uint32Array(1))[0]);

function showExamples() {
  $("examples").hidden = $("prompt").value !== "";
}

function fillSchedulers(chosen = "") {
  const own = new Option(say("ownScheduler"), "");
  const others = server.schedulers.map((scheduler) => new Option(scheduler, scheduler));
  $("scheduler").replaceChildren(own, ...others);
  $("scheduler").value = chosen;
}

function fillShapes() {
  $("shapes").replaceChildren(
    ...RATIOS.map(([across, down]) => {
      const { width, height } = sizeOf(across / down);
      const button = document.createElement("button");
      button.type = "button";
      button.className = "shape";
      button.dataset.size = `${width}x${height}`;
      button.ariaLabel = say("shape", `${across}:${down}`, width, height);
      button.title = `${width} × ${height}`;
      const outline = document.createElement("span");
      outline.className = "outline";
      outline.style.setProperty("--ratio", across / down);
      button.append(outline, `${across}:${down}`);
      button.addEventListener("click", () => {
        setSize(width, height);
        save();
      });
      return button;
    }),
  );
  $("shapes").lang = language();
  showShape();
}

/** A size of this shape with as many pixels as the model was trained on. */
function sizeOf(ratio) {
  const { width, height } = server.defaults;
  const area = width * height;
  // Large models know sizes in steps of 64.
  const grid = area >= 512 * 512 ? Math.ceil(64 / server.multiple) * server.multiple : server.multiple;
  const round = (side) => Math.max(grid, Math.round(side / grid) * grid);
  return { width: round(Math.sqrt(area * ratio)), height: round(Math.sqrt(area / ratio)) };
}

function fitTo(width, height) {
  const size = sizeOf(width / height);
  setSize(size.width, size.height);
}

function setSize(width, height) {
  $("width").value = width;
  $("height").value = height;
  showShape();
}

function showShape() {
  const size = `${$("width").value}x${$("height").value}`;
  for (const shape of $("shapes").children) shape.ariaPressed = shape.dataset.size === size;
  sized(Number($("width").value), Number($("height").value));
}
