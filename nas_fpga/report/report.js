"use strict";
(() => {
  const report = JSON.parse(document.getElementById("figures").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const print = window.matchMedia("print");
  const shown = {}; // view of each figure
  let printing = print.matches;

  // Colours stand in the figures by role, "@blue"; only keys that name a colour are looked at.
  const resolve = (value, palette, isColour) => {
    if (Array.isArray(value)) return value.map((item) => resolve(item, palette, isColour));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(
        ([key, item]) => [key, resolve(item, palette, /color(scale)?$/.test(key))]));
    }
    return isColour && typeof value === "string" && value[0] === "@" ? palette[value.slice(1)] : value;
  };

  const widthInPrint = (place) => place.closest(".grid.small") ? 340 : 700;

  const draw = (figure) => {
    const place = document.getElementById("plot-" + figure.name);
    const view = figure.views[shown[figure.name] || 0] || { traces: [], layout: {} };
    const palette = dark.matches && !printing ? report.dark : report.light;
    const data = figure.data.map((trace, i) => ({ ...trace, ...view.traces[i] }));
    const layout = { ...figure.layout, ...view.layout, autosize: !printing };
    const width = printing ? widthInPrint(place) : place.clientWidth;
    const entries = data.filter((trace) => trace.showlegend !== false).length;
    if (printing) {
      layout.width = width;
      layout.height = Math.min(layout.height, Math.max(330, 230 + 16 * entries));
    } else if (width < 500) {
      layout.font = { ...layout.font, size: 12 };
      layout.height += Math.min(layout.height * 0.2, 22 * entries);
      layout.annotations = (layout.annotations || []).filter((note) => note.name !== "label");
      layout.dragmode = false; // a finger scrolls the page
    }
    place.style.minHeight = layout.height + "px";
    Plotly.react(place, resolve(data, palette, false), resolve(layout, palette, false), {
      responsive: true,
      displayModeBar: false, // it would cover the plot; a double click shows all again
    });
  };
  const drawAll = () => report.figures.forEach(draw);

  document.querySelectorAll(".views button").forEach((button) => {
    button.addEventListener("click", () => {
      const { figure, view } = button.dataset;
      shown[figure] = Number(view);
      button.parentElement.querySelectorAll("button").forEach(
        (other) => other.setAttribute("aria-pressed", String(other === button)));
      draw(report.figures.find((each) => each.name === figure));
    });
  });

  const compare = (a, b) => {
    const [x, y] = [a, b].map((cell) => cell.dataset.value ?? cell.textContent.trim());
    return x !== "" && y !== "" && !isNaN(x) && !isNaN(y) ? x - y : x.localeCompare(y, "en", { numeric: true });
  };
  document.querySelectorAll("th button").forEach((button) => {
    button.addEventListener("click", () => {
      const heading = button.parentElement;
      const column = heading.cellIndex;
      const ascending = heading.getAttribute("aria-sort") !== "ascending";
      heading.parentElement.querySelectorAll("th").forEach(
        (th) => th.setAttribute("aria-sort", th !== heading ? "none" : ascending ? "ascending" : "descending"));
      const body = heading.closest("table").tBodies[0];
      const rows = [...body.rows].sort((a, b) => compare(a.cells[column], b.cells[column]) * (ascending ? 1 : -1));
      body.append(...rows);
    });
  });

  const setPrinting = (now) => {
    if (printing === now) return;
    printing = now;
    drawAll();
  };
  window.addEventListener("beforeprint", () => setPrinting(true));
  window.addEventListener("afterprint", () => setPrinting(false));
  print.addEventListener("change", (event) => setPrinting(event.matches));
  dark.addEventListener("change", drawAll);
  drawAll();
})();
