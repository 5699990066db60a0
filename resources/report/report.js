"use strict";
// Everything from outside becomes text by textContent; no string is ever taken for markup.
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const { texts, columns } = read("about");
  const rows = read("rows");
  const PAGE = 100;
  const NUMBERS = new Set(["probability", "threshold", "rank", "margin", "better_probability"]);
  const SHARES = new Set(["probability", "threshold", "better_probability"]);
  const SEARCHED = ["photo", "caption", "label", "runner_up", "rival", "better_caption", "error"];

  const say = (key, values = {}) =>
    texts[key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
  const make = (tag, className, text) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const verdictOf = (row) => say("verdict_" + row.verdict.replaceAll(" ", "_"));
  const pictures = new Map();
  rows.forEach((row, number) => {
    row.number = number;
    row.words = SEARCHED.map((name) => row[name] || "").join("\n").toLowerCase();
    if (row.picture) pictures.set(row.photo, row.picture);
  });

  let sortedBy = null;
  let direction = 1;
  let page = 0;
  const find = document.getElementById("find");
  const show = document.getElementById("show");
  const body = document.querySelector("tbody");
  const count = document.getElementById("count");
  const [previous, next] = document.querySelectorAll("nav button");

  for (const verdict of new Set(rows.map((row) => row.verdict))) {
    const option = make("option", "", say("verdict_" + verdict.replaceAll(" ", "_")));
    option.value = verdict;
    show.append(option);
  }

  const heads = new Map();
  const line = document.querySelector("thead tr");
  line.append(make("th"));
  for (const name of columns) {
    const head = make("th");
    head.scope = "col";
    const button = make("button", "", say("head_" + name));
    button.type = "button";
    button.addEventListener("click", () => {
      direction = sortedBy === name ? -direction : 1;
      sortedBy = name;
      page = 0;
      render();
    });
    head.append(button);
    heads.set(name, head);
    line.append(head);
  }

  const compare = new Intl.Collator(document.documentElement.lang, { numeric: true }).compare;
  const order = (one, other) => {
    const [a, b] = [one[sortedBy], other[sortedBy]];
    // What has no value stands last, whichever way round.
    if (a == null || b == null) return (a == null) - (b == null) || one.number - other.number;
    const by = NUMBERS.has(sortedBy) ? a - b : compare(a, b);
    return by * direction || one.number - other.number;
  };
  const shown = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const kept = rows.filter(
      (row) =>
        (!show.value || row.verdict === show.value) && words.every((word) => row.words.includes(word)),
    );
    return sortedBy ? kept.sort(order) : kept;
  };

  const number = (name, value) => {
    if (value == null) return "";
    if (!SHARES.has(name)) return name === "rank" ? String(value) : value.toFixed(2);
    if (value > 1) return say("never");
    // Never 0 % or 100 %, which no model can know.
    if (value < 0.001) return "< 0.1 %";
    return value > 0.999 ? "> 99.9 %" : (value * 100).toFixed(1) + " %";
  };
  const cell = (row, name) => {
    const value = row[name];
    if (NUMBERS.has(name)) return make("td", "number", number(name, value));
    const made = make("td", name);
    if (name === "photo") {
      const link = make("a", "", row.name);
      link.href = row.uri;
      link.title = value;
      made.append(link);
    } else if (name === "verdict") {
      made.append(make("span", row.match ? "chip yes" : "chip", verdictOf(row)));
    } else if (name === "caption" && row.error) {
      made.append(make("span", "quiet", row.error));
    } else {
      made.append(make("span", name === "caption" && !row.match ? "quiet" : "", value ?? ""));
    }
    return made;
  };
  const drawn = (row) => {
    const made = make("tr");
    const place = make("td", "picture");
    if (pictures.has(row.photo)) {
      const picture = make("img");
      picture.alt = "";
      picture.src = "data:image/jpeg;base64," + pictures.get(row.photo);
      place.append(picture);
    }
    made.append(place, ...columns.map((name) => cell(row, name)));
    return made;
  };

  const render = () => {
    const found = shown();
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    page = Math.min(page, pages - 1);
    body.replaceChildren(...found.slice(page * PAGE, (page + 1) * PAGE).map(drawn));
    if (!found.length) {
      const empty = make("td", "quiet", say("nothing"));
      empty.colSpan = columns.length + 1;
      const made = make("tr");
      made.append(empty);
      body.append(made);
    }
    for (const [name, head] of heads) {
      if (name === sortedBy) head.ariaSort = direction > 0 ? "ascending" : "descending";
      else head.removeAttribute("aria-sort");
    }
    count.textContent =
      say("rows", { n: found.length }) + " · " + say("page", { n: page + 1, of: pages });
    previous.disabled = page === 0;
    next.disabled = page >= pages - 1;
  };
  const turn = (by) => () => {
    page += by;
    render();
    window.scrollTo(0, 0);
  };
  previous.addEventListener("click", turn(-1));
  next.addEventListener("click", turn(1));
  for (const control of [find, show]) {
    control.addEventListener("input", () => {
      page = 0;
      render();
    });
  }
  document.querySelector("form").addEventListener("submit", (event) => event.preventDefault());

  const { photos, matched, failed, complete } = read("summary");
  const parts = [say("photos", { n: photos }), say("matched", { n: matched })];
  if (failed) parts.push(say("failed", { n: failed }));
  if (!complete) parts.push(say("incomplete"));
  document.getElementById("counts").textContent = parts.join(" · ");
  render();
})();
