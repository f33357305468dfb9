// What this browser keeps: the gallery, and what a reload needs. Where IndexedDB is not to be had,
// as in some private windows, both last as long as the page.

const PICTURES = "pictures";
const KEPT = "kept";

/** Settles a request of IndexedDB. */
const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

async function open() {
  try {
    const request = indexedDB.open("kolors", 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(PICTURES, { keyPath: "id" });
      request.result.createObjectStore(KEPT);
    };
    const database = await settled(request);
    // A newer page in another tab must not wait for this one.
    database.onversionchange = () => database.close();
    return database;
  } catch {
    return null;
  }
}

const database = open();
const memory = { [PICTURES]: new Map(), [KEPT]: new Map() };

/** Whether what is kept outlives the page. */
export async function lasting() {
  return (await database) !== null;
}

async function read(name, inDatabase, inMemory) {
  const opened = await database;
  if (!opened) return inMemory(memory[name]);
  return settled(inDatabase(opened.transaction(name).objectStore(name)));
}

async function write(name, inDatabase, inMemory) {
  const opened = await database;
  if (!opened) return inMemory(memory[name]);
  const transaction = opened.transaction(name, "readwrite");
  inDatabase(transaction.objectStore(name));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}

const changed = "BroadcastChannel" in globalThis ? new BroadcastChannel("kolors.pictures") : null;

/** Calls back when another tab has changed the gallery. */
export function onPictures(listener) {
  if (changed) changed.onmessage = listener;
}

/** The gallery, newest first. */
export async function pictures() {
  const all = await read(PICTURES, (pictures) => pictures.getAll(), (pictures) => [...pictures.values()]);
  return all.sort((one, other) => other.made - one.made || other.id.localeCompare(one.id));
}

/** Puts a picture into the gallery; one of the same id is replaced. */
export async function keep(picture) {
  await write(PICTURES, (pictures) => pictures.put(picture), (pictures) => pictures.set(picture.id, picture));
  changed?.postMessage("kept");
}

/** Takes a picture out of the gallery. */
export async function remove(id) {
  await write(PICTURES, (pictures) => pictures.delete(id), (pictures) => pictures.delete(id));
  changed?.postMessage("removed");
}

/** Remembers a value by name. */
export function remember(name, value) {
  return write(KEPT, (kept) => kept.put(value, name), (kept) => kept.set(name, value));
}

/** A remembered value, or undefined. */
export function recall(name) {
  return read(KEPT, (kept) => kept.get(name), (kept) => kept.get(name));
}

/** Forgets a value. */
export function forget(name) {
  return write(KEPT, (kept) => kept.delete(name), (kept) => kept.delete(name));
}
