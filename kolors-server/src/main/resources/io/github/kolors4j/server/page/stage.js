// The easel: the picture as it comes to be, how far it is, and the result.

import { $, speakOut } from "./page.js";
import { duration, number, onLanguage, say } from "./words.js";

const TITLE = document.title;

/** What is shown; rendered anew when the language changes. */
let shown = { state: "empty" };
let results = [];
let selected = 0;
let address = null;
/** The number of the latest preview: an older one may be decoded later. */
let latest = 0;

export function setUp() {
  onLanguage(render);
  render();
}

/** The picture that the buttons below the easel act on. */
export const current = () => results[selected];

/** Invites to begin. */
export function empty() {
  clear();
  show({ state: "empty" });
}

/** Empties the easel for a request. */
export function begin({ parameters }) {
  results = [];
  selected = 0;
  latest++;
  clear();
  frame(parameters.width, parameters.height);
  show({ state: "waiting", parameters, phase: () => say("sending") });
}

export function queued(place) {
  const phase = () => (place > 1 ? say("queued", place) : place === 1 ? say("next") : say("beginning"));
  if (shown.phase?.() === phase()) return;
  show({ ...shown, state: "waiting", phase, share: null, left: null });
  speakOut(phase());
}

export function full(message, seconds) {
  show({ ...shown, state: "waiting", phase: () => message, left: () => say("full", duration(seconds)) });
}

export function progress({ stage, image, images, step, steps, seconds_left: seconds }) {
  const phase = () => {
    if (stage === "text") return say("beginning");
    const which = images > 1 ? [say("image", image + 1, images)] : [];
    return [...which, stage === "decode" ? say("finishing") : say("step", step, steps)].join(" · ");
  };
  const left = seconds > 0 ? () => say("left", duration(seconds)) : null;
  // Of the whole request, as the denoising steps go; the rest takes little beside them.
  const done = { text: 0, denoise: step / steps, decode: 1 }[stage] ?? 0;
  const share = stage === "text" ? null : (image + done) / images;
  const quarter = Math.floor((share ?? 0) * 4);
  if (quarter > (shown.quarter ?? 0)) speakOut(phase() + (left ? ", " + left() : ""));
  show({ ...shown, state: "running", phase, share, left, quarter });
}

export async function preview(source) {
  const order = ++latest;
  const next = new Image();
  next.src = source;
  try {
    await next.decode();
  } catch {
    return;
  }
  if (order !== latest || shown.state !== "running") return;
  $("picture").src = source;
  $("picture").alt = say("previewAlt", shown.parameters.prompt);
  $("picture").hidden = false;
  $("stage").classList.add("preview");
}

/** A finished picture; others of the same request may follow. */
export function finishedImage(result) {
  results.push(result);
  selected = results.length - 1;
  hang();
  fillStrip();
}

export function completed() {
  selected = 0;
  show({ ...shown, state: "finished" });
  speakOut(say("finished"));
}

export function cancelling() {
  show({ ...shown, phase: () => say("cancelling"), left: null });
}

export function cancelled() {
  if (results.length > 0) return completed();
  latest++;
  clear();
  show({ state: "cancelled", message: () => say("cancelled") });
  return undefined;
}

export function broken() {
  show({ ...shown, phase: () => say("rejoining"), left: null });
}

/** Says what went wrong; the text may depend on the language. */
export function failed(message) {
  latest++;
  clear();
  show({ state: "failed", message });
}

function show(next) {
  shown = next;
  render();
}

function render() {
  const { state, phase, share, left, message } = shown;
  $("stage").dataset.state = state;
  setText("message", message?.() ?? "");
  setText("phase", phase?.() ?? "");
  setText("left", left?.() ?? "");
  if (share == null) $("progress").removeAttribute("value");
  else $("progress").value = share;
  const busy = state === "waiting" || state === "running";
  document.title = busy && share != null ? `${Math.round(share * 100)} % · ${TITLE}` : TITLE;
  if (state === "finished") {
    hang();
    fillStrip();
    describe();
  }
}

/** Unchanged text stays: a screen reader need not say it again. */
function setText(id, text) {
  if ($(id).textContent !== text) $(id).textContent = text;
}

function describe() {
  const result = current();
  $("title").textContent = result.parameters.prompt || say("untitled");
  $("facts").textContent = facts(result);
}

/** In one line how a picture was made. */
export function facts({ parameters, seconds }) {
  const { width, height, num_inference_steps: steps, guidance_scale: guidance, seed } = parameters;
  return [
    `${width} × ${height}`,
    `${say("steps")} ${steps}`,
    `${say("guidance")} ${number(guidance)}`,
    `${say("seed")} ${seed}`,
    seconds ? duration(seconds) : "",
  ]
    .filter(Boolean)
    .join(" · ");
}

/** Shows the selected result on the easel. */
function hang() {
  latest++;
  const result = current();
  if (address?.of !== result) {
    if (address) URL.revokeObjectURL(address.url);
    address = { of: result, url: URL.createObjectURL(result.image) };
  }
  $("picture").src = address.url;
  $("picture").alt = result.parameters.prompt || say("untitled");
  $("picture").hidden = false;
  $("stage").classList.remove("preview");
}

/** Several pictures of one request side by side. */
function fillStrip() {
  const buttons = results.map((result, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.ariaLabel = say("image", index + 1, results.length);
    button.ariaPressed = index === selected;
    const image = new Image();
    image.alt = "";
    image.src = URL.createObjectURL(result.image);
    image.onload = () => URL.revokeObjectURL(image.src);
    button.append(image);
    button.addEventListener("click", () => {
      selected = index;
      render();
      $("strip").children[index].focus();
    });
    return button;
  });
  $("strip").replaceChildren(...(results.length > 1 ? buttons : []));
}

function clear() {
  $("picture").hidden = true;
  $("picture").removeAttribute("src");
  $("picture").alt = "";
  $("strip").replaceChildren();
  $("stage").classList.remove("preview");
  if (address) URL.revokeObjectURL(address.url);
  address = null;
}

/** Shows the shape that is chosen, while there is nothing else to show. */
export function outline(width, height) {
  if (shown.state === "empty" && width > 0 && height > 0) frame(width, height);
}

/** The frame has the picture's shape before there is a picture. */
function frame(width, height) {
  $("easel").style.setProperty("--ratio", width / height);
  // A small picture is shown enlarged, but not to a blur.
  $("easel").style.setProperty("--most", `${Math.max(width, Math.min(width * 6, 448))}px`);
}
