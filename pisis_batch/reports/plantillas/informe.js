"use strict";
// The findings come as columns with dictionaries, packed when they are many. Nothing here writes markup: only text.
const $ = (id) => document.getElementById(id);
const make = (tag, name, text) => {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
};
const figure = new Intl.NumberFormat("es-CO");

async function load(id) {
  const element = $(id);
  const text = element.textContent;
  if (element.type === "application/json") return JSON.parse(text);
  const packed = atob(text);
  const bytes = new Uint8Array(packed.length);
  for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

const PLAIN = /^[\x00-\x7f]*$/;
const fold = (text) => PLAIN.test(text) ? text.toLowerCase() : text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const EMPTY = new Int32Array(0);
let readyAt = 0, data, found = EMPTY, at = -1, height = 46, hay = [], folded = null;

const place = (i) => (data.line[i] ? `línea ${figure.format(data.line[i])}` : "archivo");
const message = (i) => data.messages[data.message[i]].replaceAll("\u0001", () => data.values[data.value[i]]);

// What a search looks through, made a piece at a time while nobody waits for it.
function index(upTo) {
  folded ??= { messages: data.messages.map((m) => fold(m).split("\u0001")), fields: data.fields.map((f) => fold(f.label)), codes: data.codes.map((c) => fold(c.code)) };
  for (let i = hay.length; i < upTo; i++) {
    const parts = folded.messages[data.message[i]];
    const said = parts.length > 1 ? parts.join(fold(data.values[data.value[i]])) : parts[0];
    const text = `linea ${data.line[i]} ${folded.codes[data.code[i]]} ${folded.fields[data.field[i]]} ${said}`;
    text.includes("\n"); // a joined text is only put together when it is first looked through: now, not in a search
    hay.push(text);
  }
}
function indexLater() {
  if (hay.length >= data.code.length) return;
  index(Math.min(hay.length + 10000, data.code.length));
  setTimeout(indexLater, 0);
}

// Filters
const controls = ["busca", "causa", "codigo", "campo", "lineas"];
function ranges(text) {
  const parts = text.replaceAll(".", "").match(/\d+(\s*[-–a]\s*\d+)?/g) || [];
  return parts.map((part) => part.split(/\D+/).filter(Boolean).map(Number)).map(([a, b]) => [a, b ?? a]);
}
function filter() {
  const words = fold($("busca").value).split(/\s+/).filter(Boolean);
  const cause = $("causa").value, code = $("codigo").value, field = $("campo").value;
  const lines = ranges($("lineas").value);
  const total = data.code.length, kept = new Int32Array(total);
  if (words.length) index(total);
  let many = 0;
  for (let i = 0; i < total; i++) {
    if (cause !== "" && data.cause[i] !== +cause) continue;
    if (code !== "" && data.code[i] !== +code) continue;
    if (field !== "" && data.fields[data.field[i]].name !== field) continue;
    if (lines.length && !lines.some(([a, b]) => data.line[i] >= a && data.line[i] <= b)) continue;
    if (words.length && !words.every((word) => hay[i].includes(word))) continue;
    kept[many++] = i;
  }
  found = kept.subarray(0, many);
  at = -1;
  const all = many === total;
  $("cuantos").textContent = all
    ? `${figure.format(total)} hallazgos`
    : `${figure.format(many)} de ${figure.format(total)} hallazgos`;
  $("quitar").hidden = controls.every((id) => $(id).value === "");
  $("lista").scrollTop = 0;
  $("lista").removeAttribute("aria-activedescendant");
  $("rueda").style.height = `${many * height}px`;
  draw();
  show(-1);
}
function only(chosen) {
  for (const id of controls) $(id).value = chosen[id] ?? "";
  filter();
  $("hallazgos").scrollIntoView();
  $("lista").focus({ preventScroll: true });
}

// The list: only the rows in sight exist
function row(where) {
  const i = found[where], code = data.codes[data.code[i]];
  const made = make("div");
  made.setAttribute("role", "option");
  made.id = `o${where}`;
  made.setAttribute("aria-posinset", where + 1);
  made.setAttribute("aria-setsize", found.length);
  made.setAttribute("aria-selected", where === at);
  made.append(make("span", "p", place(i)), make("span", "w", message(i)), make("span", `c ${code.severity}`, code.code));
  made.addEventListener("click", () => choose(where, true));
  return made;
}
function draw() {
  const list = $("lista");
  const first = Math.max(0, Math.floor(list.scrollTop / height) - 6);
  const last = Math.min(found.length, Math.ceil((list.scrollTop + list.clientHeight) / height) + 6);
  const rows = [];
  for (let where = first; where < last; where++) rows.push(row(where));
  $("ventana").style.transform = `translateY(${first * height}px)`;
  $("ventana").replaceChildren(...rows);
}
function choose(where, open) {
  if (!found.length) return;
  at = Math.max(0, Math.min(found.length - 1, where));
  const list = $("lista"), top = at * height;
  if (top < list.scrollTop) list.scrollTop = top;
  if (top + height > list.scrollTop + list.clientHeight) list.scrollTop = top + height - list.clientHeight;
  draw();
  list.setAttribute("aria-activedescendant", `o${at}`);
  show(found[at], open);
}
const KEYS = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };
function pressed(event) {
  if (event.key in KEYS) {
    event.preventDefault();
    choose(KEYS[event.key] === -Infinity ? 0 : KEYS[event.key] === Infinity ? found.length : at + KEYS[event.key], false);
  } else if (event.key === "Enter" && at >= 0) {
    event.preventDefault();
    show(found[at], true);
    $("ficha").focus();
  }
}

// A finding and its line
const DRAWN = /[\u0000-\u001f\u007f-\u00a0\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|^ +| +$| {2,}/g;
function drawn(into, text) {
  let from = 0, some = false;
  for (const hit of text.matchAll(DRAWN)) {
    into.append(text.slice(from, hit.index));
    const code = hit[0].codePointAt(0);
    const shape = code === 32 ? "·".repeat(hit[0].length) : code < 32 ? String.fromCodePoint(0x2400 + code) : code === 0xa0 ? "⍽" : "⍰";
    into.append(make("i", "", shape));
    from = hit.index + hit[0].length;
    some = true;
  }
  into.append(text.slice(from));
  return some;
}
let lines = null;
const chunks = new Map();
const arrived = new Promise((done) => addEventListener("DOMContentLoaded", done, { once: true }));
async function raw(line) {
  if (document.readyState === "loading") await arrived;
  if (!lines) {
    lines = new Map();
    for (const one of data.line) if (one && !lines.has(one)) lines.set(one, lines.size);
  }
  const where = lines.get(line), chunk = Math.floor(where / data.chunk);
  if (!$(`l${chunk}`)) return null;
  if (!chunks.has(chunk)) chunks.set(chunk, load(`l${chunk}`));
  return (await chunks.get(chunk))[where % data.chunk];
}
function cells(text, wrong) {
  const list = make("ol", "cells");
  const parts = text.split(data.separator), record = data.records[parts[0]];
  let some = false;
  parts.forEach((part, n) => {
    const cell = make("li", wrong.has(n) ? "wrong" : "");
    const name = record?.fields[n];
    if (name) cell.title = name;
    const number = make("span", "n", String(n));
    number.append(make("span", "hidden", name ? ` ${name}${wrong.has(n) ? ", aquí" : ""}: ` : ": "));
    const value = make("span", "v");
    some = drawn(value, part) || some;
    cell.append(number, value);
    list.append(cell);
  });
  return [list, some];
}
let asked = 0;
async function show(i, open) {
  const sheet = $("ficha"), turn = ++asked;
  if (i === undefined || i < 0) {
    sheet.replaceChildren(make("p", "quiet", "Elija un hallazgo para ver su línea, el dato señalado y qué hacer."));
    sheet.classList.remove("open");
    return;
  }
  const code = data.codes[data.code[i]], field = data.fields[data.field[i]], line = data.line[i];
  const parts = [];
  const title = make("h3", "", line ? `Línea ${figure.format(line)}` : "El archivo completo");
  if (field.label) title.append(`, campo ${field.no}: ${field.label}`);
  parts.push(title);
  const said = make("p");
  said.append(make("span", `tag ${code.severity}`, code.kind), ` ${message(i)}.`);
  parts.push(said);
  const remedy = make("p");
  remedy.append(make("b", "", "Qué hacer: "), code.remedy);
  parts.push(remedy);
  if (line) parts.push(...(await onLine(i, line)));
  if (turn !== asked) return;
  const rule = make("a", "", `La regla ${code.code}: ${code.title}`);
  rule.href = `#regla-${code.code}`;
  rule.addEventListener("click", () => { sheet.classList.remove("open"); openRule(code.code); });
  const about = make("p");
  about.append(rule);
  parts.push(about, buttons());
  sheet.replaceChildren(...parts);
  sheet.scrollTop = 0;
  if (open && matchMedia("(max-width: 860px)").matches) {
    sheet.classList.add("open");
    sheet.focus();
  }
}
async function onLine(i, line) {
  const parts = [], same = [];
  for (let k = i; k >= 0 && data.line[k] === line; k--) same.unshift(k);
  for (let k = i + 1; k < data.line.length && data.line[k] === line; k++) same.push(k);
  const own = data.fields[data.field[i]].no, text = await raw(line);
  if (text === null || text === undefined) {
    parts.push(make("p", "quiet", "La línea no cabe en este informe: véala en su archivo."));
  } else {
    const [list, some] = cells(text, new Set([own]));
    parts.push(make("p", "quiet", "Su línea, con los campos numerados:"), list);
    if (some) parts.push(make("p", "quiet", "En azul, lo que no se ve: · es un espacio; ⍽, un espacio duro; los demás signos, caracteres de control."));
    if (data.cut && text.length >= data.cut) parts.push(make("p", "quiet", "La línea sigue; aquí está su comienzo."));
  }
  if (same.length > 1) {
    parts.push(make("p", "quiet", "También en esta línea:"));
    const also = make("ul", "also");
    for (const k of same.filter((k) => k !== i).slice(0, 20)) {
      const item = make("li"), go = make("button", "", `${data.codes[data.code[k]].code}: ${message(k)}`);
      go.type = "button";
      go.addEventListener("click", () => { const where = found.indexOf(k); if (where >= 0) choose(where, true); else show(k, true); $("ficha").focus(); });
      item.append(go);
      also.append(item);
    }
    parts.push(also);
  }
  return parts;
}
function buttons() {
  const bar = make("div", "bar-buttons");
  for (const [text, step] of [["Anterior", -1], ["Siguiente", 1]]) {
    const button = make("button", "", text);
    button.type = "button";
    button.disabled = at + step < 0 || at + step >= found.length;
    button.addEventListener("click", () => { choose(at + step, true); $("ficha").focus(); });
    bar.append(button);
  }
  const close = make("button", "close", "Cerrar");
  close.type = "button";
  close.addEventListener("click", shut);
  bar.append(close);
  return bar;
}
function shut() {
  $("ficha").classList.remove("open");
  $("lista").focus();
}
function openRule(code) {
  const rule = $(`regla-${code}`);
  if (rule) rule.open = true;
}

// Paper has no list to scroll: what is found is set as a table
const PRINTED = 1000;
function paper() {
  const rows = [];
  for (const i of found.slice(0, PRINTED)) {
    const made = make("tr");
    made.append(make("td", "", place(i)), make("td", "", data.codes[data.code[i]].code), make("td", "", message(i)));
    rows.push(made);
  }
  $("papel").replaceChildren(...rows);
  const left = found.length - PRINTED;
  $("papel-mas").textContent = left > 0 ? `Y ${figure.format(left)} más: véalos en hallazgos.csv.` : "";
}

function measure() {
  height = parseInt(getComputedStyle(document.documentElement).getPropertyValue("--h"), 10);
  $("rueda").style.height = `${found.length * height}px`;
  draw();
}
function options(id, entries) {
  for (const [value, text] of entries) $(id).append(new Option(text, value));
}
async function start() {
  if (!$("datos")) return;
  try {
    data = await load("datos");
  } catch {
    $("cuantos").textContent = "Este navegador es muy antiguo para mostrar la lista: ábrala en hallazgos.csv.";
    return;
  }
  options("causa", data.causes.map((text, n) => [n, text]));
  options("codigo", data.codes.map((code, n) => [n, `${code.code} ${code.title}`]));
  const named = new Map();
  for (const field of data.fields) if (field.label && !named.has(field.name)) named.set(field.name, field.label);
  options("campo", [...named]);
  $("por-causa").hidden = data.causes.length < 2;
  $("por-codigo").hidden = data.codes.length < 2;
  height = parseInt(getComputedStyle(document.documentElement).getPropertyValue("--h"), 10);
  filter();
  let waiting = 0;
  $("busca").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 60); });
  for (const id of ["causa", "codigo", "campo"]) $(id).addEventListener("change", filter);
  $("lineas").addEventListener("input", filter);
  $("filtros").addEventListener("submit", (event) => { event.preventDefault(); filter(); });
  $("quitar").addEventListener("click", () => only({}));
  $("lista").addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
  $("lista").addEventListener("keydown", pressed);
  $("ficha").addEventListener("keydown", (event) => { if (event.key === "Escape") shut(); });
  addEventListener("resize", measure);
  addEventListener("beforeprint", paper);
  for (const link of document.querySelectorAll("[data-only]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const [id, value] = link.dataset.only.split("=");
      only({ [id]: value });
    });
  }
  document.documentElement.dataset.ready = "1";
  readyAt = performance.now();
  setTimeout(indexLater, 0);
}
start();
