// The pictures that this browser keeps: a wall of small ones, and one at a time with what made it.

import { $, download, notice } from "./page.js";
import * as store from "./store.js";
import { date, duration, number, onLanguage, say } from "./words.js";

const AT_ONCE = 60;
/** The longer side of a small picture on the wall, in pixels: sharp on most screens. */
const SMALL = 480;

let pictures = [];
let atMost = AT_ONCE;
let open = null;
let address = null;
/** The address of each small picture on the wall, by the picture's id. */
const addresses = new Map();
let actions;

/** Shows what is kept; the actions are reuse(picture) and start(blob). */
export async function setUp(toDo) {
  actions = toDo;
  onLanguage(render);
  store.onPictures(load);
  $("show-more").addEventListener("click", () => {
    const first = atMost;
    atMost += AT_ONCE;
    render();
    $("wall").children[first]?.firstElementChild.focus();
  });
  setUpViewer();
  if (!(await store.lasting())) $("gallery-note").dataset.say = "notKept";
  await load();
}

async function load() {
  pictures = await store.pictures();
  render();
}

/** Keeps a picture, and shows it first. */
export async function add(picture) {
  const kept = { ...picture, small: await makeSmall(picture.image) };
  try {
    await store.keep(kept);
  } catch {
    notice(say("noRoom"));
  }
  pictures = [kept, ...pictures.filter(({ id }) => id !== kept.id)];
  render();
}

/** A smaller copy for the wall, where the picture is larger than that. */
async function makeSmall(image) {
  try {
    const pixels = await createImageBitmap(image);
    const scale = SMALL / Math.max(pixels.width, pixels.height);
    if (scale >= 1) return null;
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(pixels.width * scale);
    canvas.height = Math.round(pixels.height * scale);
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(pixels, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve) => canvas.toBlob(resolve, "image/webp", 0.85));
  } catch {
    return null;
  }
}

function render() {
  const visible = pictures.slice(0, atMost);
  const ids = new Set(visible.map(({ id }) => id));
  for (const [id, url] of addresses) {
    if (!ids.has(id)) {
      URL.revokeObjectURL(url);
      addresses.delete(id);
    }
  }
  $("wall").replaceChildren(...visible.map(item));
  $("gallery-empty").hidden = pictures.length > 0;
  $("gallery-count").textContent = pictures.length > 0 ? say("pictures", pictures.length) + " ·" : "";
  $("gallery-note").textContent = say($("gallery-note").dataset.say);
  $("show-more").hidden = pictures.length <= atMost;
  if (open) describe();
}

function item(picture) {
  const { id, image, small, parameters } = picture;
  if (!addresses.has(id)) addresses.set(id, URL.createObjectURL(small ?? image));
  const hung = new Image();
  hung.src = addresses.get(id);
  hung.loading = "lazy";
  hung.alt = parameters.prompt || say("untitled");
  const button = document.createElement("button");
  button.type = "button";
  button.title = parameters.prompt;
  button.append(hung);
  button.addEventListener("click", () => view(picture));
  const listed = document.createElement("li");
  listed.dataset.id = id;
  listed.append(button);
  return listed;
}

function setUpViewer() {
  const viewer = $("viewer");
  $("viewer-close").addEventListener("click", () => viewer.close());
  $("viewer-previous").addEventListener("click", () => step(-1));
  $("viewer-following").addEventListener("click", () => step(1));
  viewer.addEventListener("click", ({ target }) => target === viewer && viewer.close());
  viewer.addEventListener("keydown", ({ key }) => {
    if (key === "ArrowLeft") step(-1);
    if (key === "ArrowRight") step(1);
  });
  viewer.addEventListener("close", () => {
    const listed = [...$("wall").children].find(({ dataset }) => dataset.id === open?.id);
    listed?.firstElementChild.focus();
    open = null;
  });
  viewer.addEventListener("click", ({ target }) => {
    const picture = open;
    switch (target.closest("[data-action]")?.dataset.action) {
      case "download":
        download(picture);
        break;
      case "remove":
        takeOut(picture);
        break;
      case "reuse":
        viewer.close();
        actions.reuse(picture);
        break;
      case "start":
        viewer.close();
        actions.start(picture.image);
        break;
    }
  });
}

function view(picture) {
  open = picture;
  if (address) URL.revokeObjectURL(address);
  address = URL.createObjectURL(picture.image);
  $("viewer-image").src = address;
  const { width, height } = picture.parameters;
  $("viewer-image").style.setProperty("--most", `${Math.max(width, Math.min(width * 6, 448))}px`);
  $("viewer-image").style.setProperty("--ratio", width / height);
  describe();
  if (!$("viewer").open) $("viewer").showModal();
}

function step(by) {
  const next = pictures[index(open) + by];
  if (next) view(next);
}

const index = (picture) => pictures.findIndex(({ id }) => id === picture.id);

function describe() {
  const { parameters, start, model, made, seconds } = open;
  $("viewer-title").textContent = parameters.prompt || say("untitled");
  $("viewer-image").alt = parameters.prompt || say("untitled");
  const rows = {
    negative: parameters.negative_prompt,
    size: `${parameters.width} × ${parameters.height}`,
    steps: parameters.num_inference_steps,
    guidance: number(parameters.guidance_scale),
    scheduler: parameters.scheduler,
    seed: parameters.seed,
    strength: parameters.strength === undefined ? "" : number(parameters.strength),
    model,
    made: date(made),
    took: seconds ? duration(seconds) : "",
  };
  const lines = Object.entries(rows)
    .filter(([, value]) => value !== undefined && value !== "")
    .flatMap(([name, value]) => [line("dt", say(name)), line("dd", value)]);
  if (start) {
    const from = new Image();
    from.alt = say("startAlt");
    from.src = URL.createObjectURL(start);
    from.onload = () => URL.revokeObjectURL(from.src);
    const value = line("dd", "");
    value.append(from);
    lines.push(line("dt", say("startedFrom")), value);
  }
  $("viewer-details").replaceChildren(...lines);
  const at = index(open);
  $("viewer-previous").disabled = at <= 0;
  $("viewer-following").disabled = at >= pictures.length - 1;
}

function line(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

async function takeOut(picture) {
  const at = index(picture);
  pictures = pictures.filter(({ id }) => id !== picture.id);
  const neighbour = pictures[Math.min(at, pictures.length - 1)];
  if (neighbour) view(neighbour);
  else $("viewer").close();
  render();
  await store.remove(picture.id);
  notice(say("removed"), "undo", async () => {
    await store.keep(picture);
    await load();
  });
}
