// The picture to start from: dropped anywhere, pasted anywhere, or chosen.

import { $, notice, speakOut } from "./page.js";
import * as store from "./store.js";
import { say } from "./words.js";

/** What the server reads as it is; other pictures become PNGs here. */
const READ = new Set(["image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp", "image/tiff"]);

/** Larger ones are made smaller before they are sent: bytes, and pixels a side. */
const MOST_BYTES = 6 << 20;
const MOST_SIDE = 2048;

const KEPT = "start";

let current = null;
let address = null;
let changed = () => {};

/** The picture, or null. */
export const start = () => current;

/** Shows the controls; the listener gets width and height of each new picture. */
export async function setUp(onChange) {
  $("start-file").addEventListener("change", ({ target }) => {
    if (target.files.length > 0) take(target.files[0], target.files[0].name);
    target.value = "";
  });
  $("start-remove").addEventListener("click", () => {
    set(null);
    $("start-file").focus();
  });
  document.addEventListener("paste", ({ clipboardData }) => {
    const file = [...(clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
    if (file) take(file, file.name);
  });
  setUpDrop();
  const kept = await store.recall(KEPT).catch(() => undefined);
  if (kept && !current) await show(kept).catch(() => store.forget(KEPT));
  changed = onChange;
}

function setUpDrop() {
  // Entering a child leaves its parent: only the count tells whether the pointer is still in the window.
  let inside = 0;
  const carriesFile = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
  const mark = (by) => {
    inside = by === 0 ? 0 : Math.max(0, inside + by);
    $("start").classList.toggle("over", inside > 0);
  };
  document.addEventListener("dragenter", (event) => carriesFile(event) && mark(1));
  document.addEventListener("dragleave", (event) => carriesFile(event) && mark(-1));
  document.addEventListener("dragover", (event) => carriesFile(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    mark(0);
    if (!carriesFile(event)) return;
    event.preventDefault();
    const file = event.dataTransfer.files[0];
    if (file) take(file, file.name);
  });
}

async function take(file, name) {
  try {
    await set(await fit(file));
    speakOut(say("startSet"));
  } catch {
    notice(say("startUnreadable", name));
  }
}

/** Takes a picture, or none. */
export async function set(blob) {
  if (blob) {
    const { width, height } = await show(blob);
    changed(width, height);
    await store.remember(KEPT, blob).catch(() => {});
  } else {
    current = null;
    $("started").hidden = true;
    $("start").classList.remove("has");
    await store.forget(KEPT).catch(() => {});
  }
}

async function show(blob) {
  const image = new Image();
  const next = URL.createObjectURL(blob);
  image.src = next;
  try {
    await image.decode();
  } catch (error) {
    URL.revokeObjectURL(next);
    // Formats that the server reads and this browser does not, as TIFF, go unseen.
    throw error;
  }
  if (address) URL.revokeObjectURL(address);
  address = next;
  current = blob;
  $("start-image").src = next;
  $("started").hidden = false;
  $("start").classList.add("has");
  return { width: image.naturalWidth, height: image.naturalHeight };
}

/** The file itself where the server can read it; else its pixels, upright and not too many. */
async function fit(file) {
  if (READ.has(file.type) && file.size <= MOST_BYTES) return file;
  const pixels = await createImageBitmap(file);
  const scale = Math.min(1, MOST_SIDE / Math.max(pixels.width, pixels.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(pixels.width * scale));
  canvas.height = Math.max(1, Math.round(pixels.height * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(pixels, 0, 0, canvas.width, canvas.height);
  pixels.close();
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no room for the pixels"))), "image/png"),
  );
}
