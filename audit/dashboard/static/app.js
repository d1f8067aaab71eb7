/* Improves pages that already work without it: keys for reading, nothing else.
   Writes no markup: Trusted Types forbid it and nothing here needs it. */
"use strict";
(() => {
  const KEYS = "arr-keys";
  const rows = Array.from(document.querySelectorAll(".results tbody tr"));
  const toggle = document.getElementById("keys");
  let at = -1;

  const enabled = () => {
    try { return localStorage.getItem(KEYS) !== "off"; } catch { return true; }
  };
  const say = () => {
    toggle.textContent = enabled() ? "Keyboard shortcuts: on" : "Keyboard shortcuts: off";
    toggle.setAttribute("aria-pressed", String(enabled()));
  };
  const select = (next) => {
    if (!rows.length) return;
    if (rows[at]) rows[at].removeAttribute("aria-selected");
    at = Math.max(0, Math.min(rows.length - 1, next));
    rows[at].setAttribute("aria-selected", "true");
    const link = rows[at].querySelector("a");
    if (link) link.focus({ preventScroll: true });
    rows[at].scrollIntoView({ block: "nearest" });
  };
  const typing = (element) => element.closest("input, select, textarea, [contenteditable]") !== null;
  const acts = {
    "/": () => { const box = document.querySelector("[data-key='/']"); if (box) box.focus(); },
    j: () => select(at + 1),
    k: () => select(at - 1),
    "]": () => { const next = document.querySelector("a[rel='next']"); if (next) next.click(); },
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !enabled()) return;
    if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
    if (typing(event.target) || !(event.key in acts)) return;
    event.preventDefault();
    acts[event.key]();
  });

  if (toggle) {
    toggle.hidden = false;
    toggle.addEventListener("click", () => {
      try { localStorage.setItem(KEYS, enabled() ? "off" : "on"); } catch { /* private mode */ }
      say();
    });
    say();
  }

  // Drawing over several bars of a chart asks for the time they cover.
  for (const chart of document.querySelectorAll("[data-brush]")) {
    const bars = Array.from(chart.querySelectorAll("button"));
    const at = (event) => bars.findIndex((bar) => {
      const box = bar.getBoundingClientRect();
      return event.clientX >= box.left && event.clientX < box.right;
    });
    let from = -1;
    const mark = (to) => bars.forEach((bar, i) => {
      bar.classList.toggle("chosen", from >= 0 && i >= Math.min(from, to) && i <= Math.max(from, to));
    });
    chart.addEventListener("pointerdown", (event) => { if (event.button === 0) from = at(event); });
    document.addEventListener("pointermove", (event) => { if (from >= 0 && at(event) >= 0) mark(at(event)); });
    document.addEventListener("pointerup", (event) => {
      const to = at(event);
      const first = bars[Math.min(from, to)];
      const last = bars[Math.max(from, to)];
      const drawn = from >= 0 && to >= 0 && from !== to;
      from = -1;
      if (!drawn) { mark(-1); return; }
      const field = document.createElement("input");
      field.type = "hidden";
      field.name = "span";
      field.value = `${first.value.split("..")[0]}..${last.value.split("..")[1]}`;
      first.form.append(field);
      first.form.submit();
    });
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") { from = -1; mark(-1); } });
  }
})();
