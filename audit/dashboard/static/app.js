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

  for (const button of document.querySelectorAll("[data-range]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const from = document.getElementById("f-from");
      const until = document.getElementById("f-until");
      from.value = button.dataset.range;
      until.value = "";
    });
  }
})();
