"use strict";
const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
const data = JSON.parse(document.getElementById("data").textContent);

// Tables: a click on a title sorts, a second one the other way round; gaps come last.
// The seeds of a system stay below it: a body of the table has one system.
for (const button of all("table.systems thead button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th"), column = [...head.parentNode.children].indexOf(head);
    const way = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    const bodies = all("tbody", head.closest("table"));
    const keyed = (x) => {
      const row = x.rows ? x.rows[0] : x, text = row.children[column].dataset.v;
      return { x, text, value: Number(text), gap: text === "" || text === "nan" };
    };
    const sort = (elements) => {
      const found = elements.map(keyed);
      const texts = found.some((one) => !one.gap && Number.isNaN(one.value));
      const order = (a, b) => texts ? a.text.localeCompare(b.text) : a.value - b.value;
      found.sort((a, b) => a.gap - b.gap || (a.gap ? 0 : way * order(a, b)));
      for (const { x } of found) x.parentNode.append(x);
    };
    for (const body of bodies) sort(all("tr.seed", body));
    sort(bodies);
    for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
  });
}

// Pixels of a drawn line, in the order of its points.
const pixels = (id) => {
  const line = document.getElementById(id);
  return line ? line.getAttribute("points").split(" ").map((p) => p.split(",").map(Number)) : [];
};
// The last place in rising numbers where one is at most x; the first is before all.
const place = (rising, x) => {
  let low = 0, high = rising.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((rising[middle] ?? -Infinity) <= x) low = middle; else high = middle - 1;
  }
  return low;
};
const percent = (x) => (100 * x).toFixed(2);
const short = (x) => x === null ? "−∞" : String(Number(x.toPrecision(4)));

for (const [id, { fa, systems }] of Object.entries(data)) {
  const section = document.getElementById(id);
  const mode = document.getElementById(`${id}-mode`), at = document.getElementById(`${id}-at`);
  systems.forEach((one, s) => {
    one.det = pixels(`${id}-det-${s}`);
    one.cal = pixels(`${id}-cal-${s}`);
    one.cells = all(`.cursor tr[data-s="${s}"] td`, section);
    one.on = {};
    for (const x of all(`[data-on][data-s="${s}"]`, section)) one.on[x.dataset.on] = x;
  });
  const finite = systems.flatMap((one) => one.t.filter((t) => t !== null));
  const range = [Math.min(...finite), Math.max(...finite)];

  // Go some share of the way from the point before to the point after it.
  const put = (one, i, share, t, rate) => {
    const j = Math.min(i + 1, one.det.length - 1);
    const mix = (a, b) => a + (b - a) * share;
    one.on.det.setAttribute("cx", mix(one.det[i][0], one.det[j][0]));
    one.on.det.setAttribute("cy", mix(one.det[i][1], one.det[j][1]));
    t = t ?? (one.t[i] === null || one.t[j] === null ? one.t[i] : mix(one.t[i], one.t[j]));
    const f = rate ?? mix(one.f[i], one.f[j]), m = mix(one.m[i], one.m[j]);
    const values = [short(t), t === null ? "∞" : short(-t), percent(f), percent(m)];
    one.cells.forEach((cell, k) => { cell.textContent = values[k]; });
    const cut = one.on.hist, svg = cut.ownerSVGElement;
    const low = Number(svg.dataset.low), high = Number(svg.dataset.high);
    const part = Math.min(1, Math.max(0, ((t ?? low) - low) / (high - low)));
    for (const end of ["x1", "x2"]) cut.setAttribute(end, 12 + part * 256);
    const odds = Math.min(8, Math.max(-8, -(t ?? -8)));
    const k = Math.round((odds + 8) / 16 * (one.cal.length - 1));
    one.on.cal.setAttribute("cx", one.cal[k][0]);
    one.on.cal.setAttribute("cy", one.cal[k][1]);
  };
  const move = () => {
    const share = Number(at.value) / (fa.length - 1);
    for (const one of systems) {
      if (mode.value === "fa") {
        // Points go from right to left as thresholds rise; 52 and 448 are the plot's edges.
        const x = 52 + share * 396, rising = one.det.map((p) => -p[0]);
        const i = place(rising, -x), span = (rising[i + 1] ?? rising[i]) - rising[i];
        const part = span > 0 ? Math.min(1, Math.max(0, (-x - rising[i]) / span)) : 0;
        put(one, i, part, null, fa[Number(at.value)]);
      } else {
        const t = mode.value === "t" ? range[0] + share * (range[1] - range[0]) : one.eer;
        const i = place(one.t, t), span = (one.t[i + 1] ?? t) - one.t[i];
        const part = mode.value === "t" && span > 0 ? Math.min(1, (t - one.t[i]) / span) : 0;
        put(one, i, part, t);
      }
    }
  };
  const rest = () => {
    const one = systems[0], rate = one.f[place(one.t, one.eer)];
    at.value = mode.value === "eer" ? place(fa, rate) : at.value;
    move();
  };
  mode.addEventListener("change", rest);
  // Whoever moves the cursor leaves the equal error rates.
  at.addEventListener("input", () => {
    if (mode.value === "eer") mode.value = "fa";
    move();
  });

  const show = () => {
    for (const box of all("[data-show]", section)) {
      for (const x of all(`[data-s="${box.dataset.show}"]`, section)) {
        if (!x.closest(".cursor")) x.classList.toggle("off", !box.checked);
      }
    }
  };
  const focus = (s) => {
    for (const x of all("svg .s, svg .m, svg .dot", section)) {
      if (x.dataset.s !== undefined) x.classList.toggle("far", s !== null && x.dataset.s !== s);
    }
    for (const x of all("[data-band]", section)) {
      x.setAttribute("display", x.dataset.band === (s ?? "0") ? "inline" : "none");
    }
  };
  for (const row of all("tr[data-row]", section)) {
    for (const on of ["mouseenter", "focusin"]) row.addEventListener(on, () => focus(row.dataset.row));
    for (const on of ["mouseleave", "focusout"]) row.addEventListener(on, () => focus(null));
  }
  for (const box of all("[data-show]", section)) box.addEventListener("change", show);
  show();
  rest();
}
