// Runs before Gradio's own script. The page's head has put our texts in window.pairlens.words.

// Gradio takes the language of its own few texts from the browser; ours decides.
Object.defineProperty(navigator, "language", { get: () => window.pairlens.words.language });
Object.defineProperty(navigator, "languages", { get: () => [window.pairlens.words.language] });

// Gradio is light or dark as the system is; what was chosen in Settings answers in its place.
(() => {
  const ask = window.matchMedia.bind(window);
  const system = ask("(prefers-color-scheme: dark)");
  const answer = new EventTarget();
  const { words } = window.pairlens;
  Object.defineProperty(answer, "matches", {
    get: () => (words.theme === "system" ? system.matches : words.theme === "dark"),
  });
  const told = () => {
    // For what the browser draws itself: scroll bars, the boxes of dates.
    document.documentElement.style.colorScheme = answer.matches ? "dark" : "light";
    answer.dispatchEvent(new Event("change"));
  };
  system.addEventListener("change", told);
  window.matchMedia = (query) => (query === system.media ? answer : ask(query));
  window.pairlens.wear = (theme) => {
    words.theme = theme;
    told();
  };
  told();
})();

// What is said by the script rather than where it lies.
window.pairlens.told = {};
document.addEventListener("DOMContentLoaded", () => {
  const heard = new Set();
  new MutationObserver(() => {
    for (const one of document.querySelectorAll("[data-told]")) {
      if (heard.has(one.dataset.told)) continue;
      heard.add(one.dataset.told);
      window.pairlens.told[one.dataset.by](one.textContent);
    }
  }).observe(document.body, {
    childList: true, subtree: true, attributes: true, attributeFilter: ["data-told"],
  });
});

// One view is on show. Its name is the address's hash, so that a reload comes back to it.
window.pairlens.show = (view) => {
  document.documentElement.dataset.view = view;
  window.history.replaceState(null, "", `#${view}`);
  for (const tab of document.querySelectorAll("#pl-tabs [role=tab]")) {
    const chosen = tab.dataset.view === view;
    tab.ariaSelected = chosen;
    tab.tabIndex = chosen ? 0 : -1;
  }
  // What these show may have changed meanwhile: by the command line, or another window.
  document.querySelector(`#${view}-look`)?.click();
};

// A question before a deed that can't simply be taken back.
window.pairlens.ask = (question, keep, deed, act) => {
  const ask = document.querySelector("#pl-ask");
  const [kept, done] = ask.querySelectorAll("button");
  ask.querySelector("p").textContent = question;
  kept.textContent = keep;
  done.textContent = deed;
  done.onclick = () => {
    ask.close();
    act();
  };
  if (!ask.open) ask.showModal();
};

// Called by the window when it is to be closed with work under way; true once the question is there.
window.pairlens.ask_to_close = () => {
  const { close, stay, leave } = window.pairlens.words;
  window.pairlens.ask(close, stay, leave, () => window.pywebview.api.close());
  return true;
};

(() => {
  // What is dropped, pasted, picked or named on the command line is handed over in turns: an answer
  // says what the next one has to go on from.
  const coming = [];
  let under_way = false;
  let last;
  const hand_over = () => {
    const ready = "resumed" in document.documentElement.dataset;
    if (!ready || under_way || !coming.length) return;
    under_way = true;
    window.pairlens.arrived = {
      paths: coming.splice(0), view: document.documentElement.dataset.view,
    };
    document.querySelector("#pl-arrive").click();
  };
  window.pairlens.arrive = (paths) => {
    coming.push(...paths);
    hand_over();
  };
  window.pairlens.told.given = (paths) => window.pairlens.arrive(JSON.parse(paths));
  // The window keeps what came until the page is there to take it.
  window.pairlens.collect = async () => {
    const ready = "resumed" in document.documentElement.dataset;
    if (ready && window.pywebview?.api?.collect) {
      window.pairlens.arrive(await window.pywebview.api.collect());
    } else {
      hand_over();
    }
  };
  // Called when what ran or ran last is shown again, which would write over what was put into a box.
  window.pairlens.resumed = () => {
    document.documentElement.dataset.resumed = "";
    window.pairlens.collect();
  };
  window.addEventListener("pywebviewready", () => window.pairlens.collect());
  document.addEventListener("DOMContentLoaded", () => {
    new MutationObserver(() => {
      const answer = document.querySelector("#pl-arrival [data-arrival]");
      if (!answer || answer.dataset.arrival === last) return;
      last = answer.dataset.arrival;
      if (answer.dataset.go) window.pairlens.show(answer.dataset.go);
      answer.querySelector(".pl-choice button")?.focus();
      under_way = false;
      hand_over();
    }).observe(document.body, { childList: true, subtree: true });
  });
  document.addEventListener("click", (event) => {
    const dismissed = event.target.closest?.("[data-dismiss]")?.closest("[data-arrival]");
    if (dismissed) dismissed.hidden = true;
  });
})();

// The first step of somebody new: a folder to search in.
window.pairlens.begin = async () => {
  window.pairlens.show("search");
  const box = document.querySelector("#search-folder :is(input, textarea)");
  const folder = await window.pywebview?.api.pick_folder();
  if (folder) {
    box.value = folder;
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }
  box.focus();
};
for (const [kind, place] of [["click", "#batch-go, #search-go"], ["input", "#match-captions"]]) {
  document.addEventListener(kind, (event) => {
    const begun = event.target.closest?.(place);
    if (begun && document.querySelector(".pl-first")) document.querySelector("#welcome-away").click();
  });
}

document.addEventListener("DOMContentLoaded", () => {
  const veil = document.createElement("div");
  veil.id = "pl-veil";
  veil.append(document.createElement("div"));
  veil.firstChild.textContent = window.pairlens.words.veil;
  const ask = document.createElement("dialog");
  ask.id = "pl-ask";
  const keep = document.createElement("button");
  keep.addEventListener("click", () => ask.close());
  ask.append(document.createElement("p"), keep, document.createElement("button"));
  document.body.append(veil, ask);

  // Gradio draws the tabs and views a moment later.
  const wanted = /^#[a-z]+$/.test(window.location.hash) ? window.location.hash.slice(1) : "match";
  document.documentElement.dataset.view = wanted;
  const waiting = new MutationObserver(() => {
    const tabs = [...document.querySelectorAll("#pl-tabs [role=tab]")];
    const views = tabs.map((tab) => document.getElementById(tab.getAttribute("aria-controls")));
    if (!tabs.length || views.includes(null)) return;
    waiting.disconnect();
    for (const [number, tab] of tabs.entries()) {
      views[number].setAttribute("role", "tabpanel");
      views[number].setAttribute("aria-labelledby", tab.id);
    }
    const known = tabs.some((tab) => tab.dataset.view === wanted);
    window.pairlens.show(known ? wanted : "match");
  });
  waiting.observe(document.body, { childList: true, subtree: true });
});

// In a browser a result that was saved comes as a link, which is followed once: not again when the
// page is reloaded.
document.addEventListener("DOMContentLoaded", () => {
  new MutationObserver(() => {
    const link = document.querySelector("a.pl-arrived");
    if (!link || sessionStorage.getItem("pl-fetched") === link.href) return;
    sessionStorage.setItem("pl-fetched", link.href);
    link.click();
  }).observe(document.body, { childList: true, subtree: true });
});

// What a few radio buttons are about stands only beside them in Gradio, and each has a name of its
// own, so that the arrow keys don't lead from one to the next.
document.addEventListener("DOMContentLoaded", () => {
  new MutationObserver(() => {
    for (const group of document.querySelectorAll("fieldset:not([aria-label])")) {
      const words = group.querySelector("[data-testid=block-info]");
      if (words) group.setAttribute("aria-label", words.textContent.trim());
    }
    // A date's box and its button have no name at all.
    for (const part of document.querySelectorAll(".timebox > :not([aria-label])")) {
      const words = part.closest(".block")?.querySelector("[data-testid=block-info]");
      if (words) part.setAttribute("aria-label", words.textContent.trim());
    }
  }).observe(document.body, { childList: true, subtree: true });
});
// Gradio gives other names again whenever one is chosen, so this is done at each key.
for (const kind of ["focusin", "keydown"]) {
  document.addEventListener(kind, (event) => {
    const group = event.target.type === "radio" && event.target.closest("fieldset");
    if (!group) return;
    for (const radio of group.querySelectorAll("input[type=radio]")) radio.name = group.id;
  }, true);
}

document.addEventListener("click", (event) => {
  const tab = event.target.closest?.("#pl-tabs [role=tab]");
  if (tab) window.pairlens.show(tab.dataset.view);
  // A link to another view, and there to a section that may be closed.
  const link = event.target.closest?.("[data-show]");
  if (!link) return;
  window.pairlens.show(link.dataset.show);
  const section = document.querySelector(`#${link.dataset.open} > button`);
  if (section && !section.classList.contains("open")) section.click();
  section?.focus();
});

// Many people click everything twice. The second click is to do nothing that the first has not.
document.addEventListener("click", (event) => {
  // By then a dialog may be where the button was.
  if (event.detail < 2 || !event.target.closest?.("button, dialog")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);

// Links that were put on the page as HTML hand what they ask for to a hidden button of Gradio's.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-ask]");
  if (!link) return;
  const go = () => {
    window.pairlens.asked = { ...link.dataset };
    document.querySelector(`#${link.dataset.ask}`).click();
  };
  const { question, deed } = link.dataset;
  if (question) window.pairlens.ask(question, window.pairlens.words.keep, deed, go);
  else go();
});

(() => {
  // Match: answers come while a person types. One question is under way at a time, and what was
  // changed meanwhile is asked when its answer is there: so no older answer takes the place of a
  // newer one.
  const PAUSE = 120;
  let underWay = false;
  let changed = false;
  let waiting;
  const busy = (is) => { document.querySelector("#match-results").ariaBusy = is; };
  window.pairlens.match = () => {
    clearTimeout(waiting);
    changed = underWay;
    if (underWay) return;
    underWay = true;
    busy(true);
    document.querySelector("#match-now").click();
  };
  window.pairlens.matched = () => {
    underWay = false;
    busy(false);
    if (changed) window.pairlens.match();
  };
  const typed = (event) => {
    // A character that is being put together out of several keys is none yet.
    if (event.isComposing || !event.target.closest?.("#match-captions")) return;
    clearTimeout(waiting);
    waiting = setTimeout(window.pairlens.match, PAUSE);
  };
  document.addEventListener("input", typed);
  document.addEventListener("compositionend", typed);
})();

(() => {
  // Whoever points at "Why?", or comes to it with the keyboard, is told the word that counts most.
  const PAUSE = 150;
  const known = new Map();
  const tip = document.createElement("div");
  let link;
  let waiting;
  let asked;
  const name = (one) => `${one.dataset.photo} ${one.dataset.caption}`;
  const show = () => {
    const said = known.get(name(link));
    if (!said) return;
    tip.textContent = said;
    tip.hidden = false;
    const { left, right, top, bottom } = link.getBoundingClientRect();
    const { offsetWidth, offsetHeight } = tip;
    const middle = (left + right - offsetWidth) / 2;
    tip.style.left = `${Math.max(8, Math.min(middle, window.innerWidth - offsetWidth - 8))}px`;
    tip.style.top = `${bottom + offsetHeight + 10 < window.innerHeight ? bottom + 6 : top - offsetHeight - 6}px`;
    link.setAttribute("aria-describedby", tip.id);
  };
  const ask = () => {
    if (known.has(name(link))) return show();
    if (asked) return;
    asked = name(link);
    window.pairlens.pointedAt = { ...link.dataset };
    document.querySelector("#pl-ask-hint").click();
  };
  window.pairlens.told.hint = (said) => {
    known.set(asked, said);
    asked = undefined;
    if (link) ask();
  };
  const come = (event) => {
    const one = event.target.closest?.("button[data-do=why]");
    if (!one || one === link) return;
    leave();
    link = one;
    waiting = setTimeout(ask, PAUSE);
  };
  const leave = () => {
    clearTimeout(waiting);
    link?.removeAttribute("aria-describedby");
    link = undefined;
    tip.hidden = true;
  };
  const go = (event) => { if (event.target.closest?.("button[data-do=why]") === link) leave(); };
  document.addEventListener("DOMContentLoaded", () => {
    tip.id = "pl-reason";
    tip.role = "tooltip";
    tip.hidden = true;
    document.body.append(tip);
  });
  document.addEventListener("pointerover", come);
  document.addEventListener("focusin", come);
  document.addEventListener("pointerout", go);
  document.addEventListener("focusout", go);
  document.addEventListener("scroll", leave, true);
  // Not those of hidden buttons, which ask for the very words.
  document.addEventListener("click", (event) => { if (event.isTrusted) leave(); });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") leave(); });
})();

(() => {
  // Why a pair matches: the dialog comes as HTML, at first without its answer, and is shown unless
  // it was closed meanwhile.
  let closed;
  let asker;
  document.addEventListener("click", (event) => {
    asker = event.target.closest?.("[data-do=why]") ?? asker;
  });
  document.addEventListener("DOMContentLoaded", () => {
    new MutationObserver(() => {
      const dialog = document.querySelector(".pl-why");
      if (!dialog || dialog.open || dialog.dataset.asked === closed) return;
      dialog.addEventListener("close", () => {
        closed = dialog.dataset.asked;
        asker?.focus();
      });
      dialog.showModal();
    }).observe(document.body, { childList: true, subtree: true });
  });
  document.addEventListener("click", (event) => {
    const dialog = event.target.closest?.(".pl-why");
    if (!dialog) return;
    // A click beside the dialog comes as one on its edge.
    const { left, right, top, bottom } = dialog.getBoundingClientRect();
    const within = event.clientX >= left && event.clientX < right
      && event.clientY >= top && event.clientY < bottom;
    if (event.target.closest("[data-close]") || (event.target === dialog && !within)) dialog.close();
  });
  // The map is stretched over the photo, and both are to fit into the window.
  document.addEventListener("load", (event) => {
    if (!event.target.matches?.(".pl-why-photo img:first-child")) return;
    const { naturalWidth, naturalHeight, parentElement } = event.target;
    parentElement.style.setProperty("--aspect", naturalWidth / naturalHeight);
  }, true);
  document.addEventListener("change", (event) => {
    if (!event.target.matches?.(".pl-word input")) return;
    for (const map of document.querySelectorAll(".pl-why [data-map]")) {
      map.hidden = map.dataset.map !== event.target.value;
    }
  });
})();

// The number of a page is typed.
document.addEventListener("change", (event) => {
  const page = event.target.closest?.(".pl-pager input");
  if (!page) return;
  window.pairlens.asked = { do: "page", page: page.value };
  document.querySelector(`#${page.dataset.to}`).click();
});

document.addEventListener("keydown", (event) => {
  const tab = event.target.closest?.("#pl-tabs [role=tab]");
  if (!tab) return;
  const tabs = [...tab.parentElement.children];
  const now = tabs.indexOf(tab);
  const to = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: -1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const next = tabs[(to + tabs.length) % tabs.length];
  window.pairlens.show(next.dataset.view);
  next.focus();
});

// The cells of a map are one stop for the keyboard: arrows lead from one to the next.
document.addEventListener("keydown", (event) => {
  const cell = event.target.closest?.(".pl-matrix [data-ask]");
  if (!cell) return;
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    cell.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    return;
  }
  const map = cell.closest("svg");
  const cells = [...map.querySelectorAll("[data-ask]")];
  const across = Number(map.dataset.across);
  const at = cells.indexOf(cell);
  const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across }[event.key];
  if (!by) return;
  event.preventDefault();
  const next = cells[at + by];
  const sameRow = Math.floor(at / across) === Math.floor((at + by) / across);
  if (!next || (Math.abs(by) === 1 && !sameRow && across > 1)) return;
  cell.setAttribute("tabindex", "-1");
  next.setAttribute("tabindex", "0");
  next.focus();
});

// A text of the page for the clipboard; an old web view takes only what is selected.
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  const text = button.closest(".pl-report").querySelector("pre");
  try {
    await navigator.clipboard.writeText(text.textContent);
  } catch {
    window.getSelection().selectAllChildren(text);
    document.execCommand("copy");
  }
  button.nextElementSibling.textContent = button.dataset.copy;
});

(() => {
  // What a word means stands in a hint beside it: on show while the hint has the pointer or focus.
  let shown;
  const hide = () => {
    document.querySelector("#pl-tip")?.remove();
    shown = null;
  };
  const place = (hint, tip) => {
    const { left, top, bottom, width } = hint.getBoundingClientRect();
    const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
    tip.style.left = `${Math.max(8, Math.min(left + width / 2 - tip.offsetWidth / 2, room))}px`;
    const below = bottom + 6;
    const fits = below + tip.offsetHeight < document.documentElement.clientHeight;
    tip.style.top = `${fits ? below : top - tip.offsetHeight - 6}px`;
  };
  const show = (hint) => {
    if (shown === hint) return;
    hide();
    shown = hint;
    const tip = document.createElement("div");
    tip.id = "pl-tip";
    tip.role = "tooltip";
    tip.textContent = hint.dataset.hint;
    // Within a dialog, as nothing else is above one.
    (hint.closest("dialog") ?? document.body).append(tip);
    place(hint, tip);
  };
  for (const kind of ["pointerover", "focusin"]) {
    document.addEventListener(kind, (event) => {
      const hint = event.target.closest?.("[data-hint]");
      if (hint) show(hint);
      else if (shown && shown !== document.activeElement) hide();
    });
  }
  document.addEventListener("focusout", hide);
  // Coming to a hint by the keyboard may move the page itself.
  document.addEventListener("scroll", () => {
    if (shown && shown === document.activeElement) place(shown, document.querySelector("#pl-tip"));
    else hide();
  }, true);
  document.addEventListener("click", (event) => {
    const hint = event.target.closest?.("[data-hint]");
    if (hint) show(hint);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });
})();

(() => {
  // What is selected of each view's result, by the keys of its photos: also of pages that are not
  // on show. Another result begins with nothing.
  const kept = {};
  const keys = (view) => {
    const result = document.querySelector(`#view-${view} [data-result]`)?.dataset.result;
    if (kept[view]?.result !== result) kept[view] = { result, keys: new Set() };
    return kept[view].keys;
  };
  window.pairlens.tick = (view, box) => keys(view)[box.checked ? "add" : "delete"](box.dataset.photo);
  window.pairlens.ticked = (view) => JSON.stringify([...keys(view)]);
  window.pairlens.untickAll = (view) => keys(view).clear();

  // Boxes that are drawn anew, or become those of other photos, know nothing of that.
  document.addEventListener("DOMContentLoaded", () => {
    new MutationObserver(() => {
      for (const result of document.querySelectorAll(".pl-view [data-result]")) {
        const view = result.closest(".pl-view");
        const known = keys(view.id.slice("view-".length));
        for (const box of result.querySelectorAll(".pl-tick input")) {
          box.checked = known.has(box.dataset.photo);
        }
        window.pairlens.sayTicked(view);
      }
    }).observe(document.body, {
      childList: true, subtree: true, attributes: true,
      attributeFilter: ["data-photo", "data-result"],
    });
  });
})();

(() => {
  // What was said of a plan, and offered, is out of date once anything of it is changed. Nothing
  // but a new look takes that back: the answer to an older one may still be under way.
  const withdraw = (place) => place.querySelector(".pl-act")?.setAttribute("data-stale", "");
  document.addEventListener("input", (event) => {
    const panel = event.target.closest?.(".pl-act");
    if (panel) withdraw(panel.parentElement);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".pl-act button");
    if (button?.matches(".pl-look")) button.closest(".pl-act").removeAttribute("data-stale");
    if (button?.matches(".pl-in-window")) withdraw(button.closest(".pl-view"));
  });

  const name = (view) => view.id.slice("view-".length);
  window.pairlens.sayTicked = (view) => {
    const said = view.querySelector(".pl-tick-bar [role=status]");
    if (!said) return;
    const count = JSON.parse(window.pairlens.ticked(name(view))).length;
    const number = count.toLocaleString(window.pairlens.words.language);
    const words = count ? said.dataset.some.replace("{n}", number) : said.dataset.none;
    if (said.textContent !== words) said.textContent = words;
  };
  const selected = (view) => {
    window.pairlens.sayTicked(view);
    withdraw(view);
  };

  document.addEventListener("change", (event) => {
    const box = event.target.closest?.(".pl-tick input");
    if (!box) return;
    const view = box.closest(".pl-view");
    for (const same of view.querySelectorAll(`.pl-tick [data-photo="${box.dataset.photo}"]`)) {
      same.checked = box.checked;
    }
    window.pairlens.tick(name(view), box);
    selected(view);
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".pl-tick-bar [data-tick]");
    if (!button) return;
    const view = button.closest(".pl-view");
    if (button.dataset.tick === "none") window.pairlens.untickAll(name(view));
    for (const box of view.querySelectorAll(".pl-tick input")) {
      box.checked = button.dataset.tick === "all";
      window.pairlens.tick(name(view), box);
    }
    selected(view);
  });

  // History: nothing is undone before a person has read what that means.
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-undo]");
    if (!button) return;
    window.pairlens.ask(button.dataset.question, window.pairlens.words.keep, button.dataset.deed, () => {
      window.pairlens.undoing = button.dataset.undo;
      document.querySelector("#history-undo").click();
    });
  });
})();

// Only the native window has pywebview; buttons that need it show themselves then.
window.addEventListener("pywebviewready", async () => {
  document.documentElement.classList.add("in-window");
  if (await window.pywebview.api.can_paste()) document.documentElement.classList.add("can-paste");
});

(() => {
  // A paste of text into a box is left to the box, and so is what is both text and picture, such as
  // cells of a table. The window can tell where copied files are; elsewhere there are only pictures,
  // which go the way of an upload.
  const by_path = () => document.documentElement.classList.contains("can-paste");
  document.addEventListener("paste", (event) => {
    const held = event.clipboardData;
    if (!held) return;
    const box = event.target.closest?.("input, textarea");
    const files = held.types.includes("Files") || held.types.includes("text/uri-list");
    const text = held.types.includes("text/plain") && !held.types.includes("text/uri-list");
    if (box && (!files || text)) return;
    if (by_path()) {
      event.preventDefault();
      window.pywebview.api.paste();
      return;
    }
    const pictures = [...held.files].filter((file) => file.type.startsWith("image/"));
    if (!pictures.length) return;
    event.preventDefault();
    const carried = new DataTransfer();
    for (const picture of pictures) carried.items.add(picture);
    const upload = document.querySelector("#pl-pasted input[type=file]");
    upload.files = carried.files;
    upload.dispatchEvent(new Event("change", { bubbles: true }));
  }, true);
})();

(() => {
  const veil = () => document.querySelector("#pl-veil");
  const inWindow = () => document.documentElement.classList.contains("in-window");
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");

  // In the window a veil catches what is dragged in, so that the drop comes in by its path and
  // Gradio's own fields don't make a copy of it as well.
  document.addEventListener("dragenter", (event) => {
    if (inWindow() && carriesFiles(event)) veil()?.classList.add("pl-shown");
  }, true);
  document.addEventListener("dragleave", (event) => {
    if (event.target === veil()) veil().classList.remove("pl-shown");
  }, true);
  document.addEventListener("drop", () => veil()?.classList.remove("pl-shown"), true);
  document.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  // Without this a photo dropped beside every field would replace the page.
  document.addEventListener("drop", (event) => {
    if (carriesFiles(event)) event.preventDefault();
  });

  // A photo that can't be opened shows the sign for that instead of the browser's.
  document.addEventListener("error", (event) => {
    const photo = event.target.closest?.(".pl-photo");
    if (!photo) return;
    photo.classList.add("pl-broken");
    delete photo.dataset.large;
    event.target.remove();
  }, true);
})();

(() => {
  // A photo seen large, and from there the ones beside it in the same place.
  const PLACES = "#match-strip, #match-results, #batch-table, #search-gallery, #search-photo";
  const light = document.createElement("dialog");
  let shown;
  const button = (name, sign, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = `pl-${name}`;
    made.textContent = sign;
    made.ariaLabel = made.title = window.pairlens.words[name];
    made.addEventListener("click", act);
    return made;
  };
  const around = () => {
    const place = shown.closest(PLACES);
    return place ? [...place.querySelectorAll(".pl-photo[data-large]")] : [shown];
  };
  const show = (photo) => {
    shown = photo;
    const all = around();
    const at = all.indexOf(photo);
    light.querySelector("img").src = photo.dataset.large;
    light.querySelector("p").textContent = photo.title;
    light.querySelector("output").textContent = "";
    light.querySelector(".pl-previous").disabled = at <= 0;
    light.querySelector(".pl-next").disabled = at + 1 >= all.length;
    light.toggleAttribute("data-file", "file" in photo.dataset);
    // The next one is made meanwhile.
    if (all[at + 1]) new Image().src = all[at + 1].dataset.large;
  };
  const step = (by) => {
    const all = around();
    const next = all[all.indexOf(shown) + by];
    if (next) show(next);
  };
  const ask = (what) => {
    window.pairlens.asked = { do: what, photo: shown.dataset.file };
    document.querySelector("#pl-photo-ask").click();
  };
  window.pairlens.told.photo = (said) => {
    light.querySelector("output").textContent = said;
  };

  document.addEventListener("DOMContentLoaded", () => {
    const { words } = window.pairlens;
    light.id = "pl-light";
    light.ariaLabel = words.large;
    const row = document.createElement("div");
    const open = button("open", words.open, () => ask("open"));
    const folder = button("folder", words.folder, () => ask("show"));
    row.append(document.createElement("p"), open, folder);
    const said = document.createElement("output");
    light.append(
      document.createElement("img"), row, said,
      button("previous", "‹", () => step(-1)), button("next", "›", () => step(1)),
      button("shut", "✕", () => light.close()),
    );
    light.addEventListener("close", () => shown?.focus());
    light.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (by) step(by);
    });
    document.body.append(light);
  });
  document.addEventListener("click", (event) => {
    const photo = event.target.closest?.(".pl-photo[data-large]");
    if (photo) {
      show(photo);
      light.showModal();
      light.querySelector(".pl-shut").focus();
    } else if (light.open && !event.target.closest("button, p")) {
      light.close();
    }
  });
})();
