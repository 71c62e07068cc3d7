// gallery: photographs as rows of tiles, drawn a few at a time as the reader comes near
(() => {
  const galleries = JSON.parse(document.getElementById("data-gallery").textContent);
  const place = document.getElementById("gallery-photos");
  if (!place) return;
  const STEP = 12;
  const HARMONIZED = "+harmonized";
  const state = { gallery: galleries.find((one) => one.photos.length), metric: 0, by: "", worst: true, words: "", results: "raw", shown: new Set() };
  let queue = [];

  const method = (key) => key.replace(HARMONIZED, "");
  const name = (key) => (key === "grey" ? "grey input" : key.replace(HARMONIZED, " · harmonized"));
  const methods = () => [...new Set(state.gallery.columns.slice(1, -1).map(method))];
  const value = (photo, key) => photo.values[key]?.[state.metric] ?? null;
  const hasHarmonized = () => state.gallery.columns.some((key) => key.endsWith(HARMONIZED));

  function visible() {
    return state.gallery.columns.filter((key) => {
      if (key === "grey" || key === "truth") return true;
      if (!state.shown.has(method(key))) return false;
      if (state.results === "both") return true;
      const twin = state.gallery.columns.includes(method(key) + HARMONIZED);
      return key.endsWith(HARMONIZED) === (state.results === "harmonized" && twin);
    });
  }

  function goodness(photo) {
    const metric = state.gallery.metrics[state.metric];
    const keys = state.by ? [state.by] : visible().slice(1, -1);
    const numbers = keys.map((key) => value(photo, key)).filter((one) => one !== null).map(Number);
    if (!numbers.length) return null;
    const mean = numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
    if (metric.better === "lower") return -mean;
    return metric.better === "one" ? -Math.abs(mean - 1) : mean;
  }

  function tile(photo, key) {
    const [width, height] = photo.size;
    const caption = element("figcaption", {}, element("b", { title: name(key) }, name(key)));
    const figure = value(photo, key);
    if (figure !== null) caption.append(element("span", {}, figureText(figure, state.gallery.metrics[state.metric].digits)));
    if (!photo.tiles[key]) {
      return element("figure", {}, element("div", { class: "absent", style: `aspect-ratio:${width || 4}/${height || 3}` }, `No picture: ${photo.faults[key] ?? "not made"}`), caption);
    }
    const image = element("img", { loading: "lazy", decoding: "async", width, height, alt: `${photo.id}: ${name(key)}`, src: `${photo.tiles[key]}.jpg` });
    image.addEventListener("error", () => {
      image.closest("button").replaceWith(element("div", { class: "absent", style: `aspect-ratio:${width}/${height}` }, "The picture's file is not there."));
    });
    return element("figure", {}, element("button", { type: "button", onclick: () => box.open(photo, key) }, image), caption);
  }

  function row(photo) {
    const columns = visible();
    const tiles = element("div", { class: columns.length <= 7 ? "tiles row" : "tiles", style: `--n:${columns.length}` }, ...columns.map((key) => tile(photo, key)));
    return element("article", { class: "photo" }, element("header", {}, element("h3", {}, photo.id), element("span", {}, photo.credit)), tiles);
  }

  const end = element("div", { "aria-hidden": "true" });
  const watcher = new IntersectionObserver((entries) => { if (entries.some((one) => one.isIntersecting)) more(); }, { rootMargin: "900px" });
  function more() {
    const next = queue.splice(0, STEP);
    end.before(...next.map(row));
    if (!queue.length) watcher.disconnect();
    else if (next.length) { watcher.unobserve(end); watcher.observe(end); }
  }

  function draw() {
    const words = state.words.toLowerCase();
    const found = state.gallery.photos.filter((photo) => photo.id.toLowerCase().includes(words));
    const order = new Map(found.map((photo) => [photo, goodness(photo)]));
    const sign = state.worst ? 1 : -1;
    queue = found.sort((one, other) => {
      const [left, right] = [order.get(one), order.get(other)];
      if (left === null || right === null) return (left === null) - (right === null);
      return left === right ? (one.id < other.id ? -1 : 1) : sign * (left < right ? -1 : 1);
    });
    const metric = state.gallery.metrics[state.metric];
    const all = state.gallery.total > state.gallery.photos.length
      ? `${state.gallery.photos.length} of ${state.gallery.total} photographs, spread evenly from the worst to the best by mean PSNR`
      : `${state.gallery.total} photographs`;
    const shown = words ? ` ${found.length} match.` : "";
    document.getElementById("gallery-count").textContent = `${all}.${shown}${metric ? ` The figures are ${metric.label}${metric.unit ? ` in ${metric.unit}` : ""}.` : ""}`;
    state.order = [...queue];
    place.replaceChildren(end);
    watcher.disconnect();
    more();
    watcher.observe(end);
  }
  window.addEventListener("beforeprint", () => { while (queue.length) more(); });

  function chips() {
    const field = document.getElementById("gallery-columns");
    field.replaceChildren(field.firstElementChild);
    for (const one of methods()) {
      const input = element("input", { type: "checkbox", checked: state.shown.has(one), onchange: () => {
        if (input.checked) state.shown.add(one); else state.shown.delete(one);
        draw();
      } });
      field.append(element("label", {}, input, one));
    }
  }

  function controls() {
    const nodes = [];
    if (galleries.length > 1) {
      const set = labelledSelect("Set", galleries.map((one, number) => [number, one.set]), (number) => { state.gallery = galleries[number]; begin(); });
      set.select.value = galleries.indexOf(state.gallery);
      nodes.push(set.node);
    }
    if (state.gallery.metrics.length) {
      nodes.push(labelledSelect("Sort by", state.gallery.metrics.map((one, number) => [number, one.label]), (number) => { state.metric = Number(number); draw(); }).node);
      const keys = state.gallery.columns.slice(1, -1).map((key) => [key, name(key)]);
      nodes.push(labelledSelect("of", [["", "all that are shown"], ...keys], (key) => { state.by = key; draw(); }).node);
      nodes.push(choice("Order", [["worst", "Worst first"], ["best", "Best first"]], "worst", (one) => { state.worst = one === "worst"; draw(); }));
    }
    if (hasHarmonized()) {
      nodes.push(choice("Results", [["raw", "Raw"], ["harmonized", "Harmonized"], ["both", "Both"]], state.results, (one) => { state.results = one; draw(); }));
    }
    const search = element("input", { type: "search", placeholder: "name of a photograph", oninput: () => { state.words = search.value; draw(); } });
    nodes.push(element("label", {}, "Find", search));
    document.getElementById("gallery-controls").replaceChildren(...nodes);
  }

  function choice(label, options, first, onchange) {
    const buttons = options.map(([key, text]) => element("button", { type: "button", class: "button", "aria-pressed": String(key === first), onclick: (event) => {
      for (const button of buttons) button.setAttribute("aria-pressed", String(button === event.currentTarget));
      onchange(key);
    } }, text));
    return element("div", { class: "labelled" }, element("span", {}, label), element("div", { class: "buttons", role: "group", "aria-label": label }, ...buttons));
  }

  function begin() {
    state.metric = 0;
    state.by = "";
    state.words = "";
    state.shown = new Set(methods().length > 6 ? methods().slice(0, 5) : methods());
    if (!hasHarmonized()) state.results = "raw";
    controls();
    chips();
    draw();
  }

  // the enlarged picture: two of a photograph's pictures under one slider
  const box = (() => {
    const dialog = document.getElementById("box");
    let photo, zoom = "fit", sides = { left: "", right: "" };

    function select(label, side) {
      const keys = state.gallery.columns.filter((key) => photo.tiles[key]).map((key) => [key, name(key)]);
      const made = labelledSelect(label, keys, (key) => { sides[side] = key; show(); });
      made.select.value = sides[side];
      return made.node;
    }

    function width() {
      const [w, h] = photo.size;
      if (zoom !== "fit") return `${Math.round(w * zoom)}px`;
      return `min(calc(100vw - 32px), calc((100dvh - var(--room)) * ${w / h}))`;
    }

    function step(by) {
      const next = state.order[state.order.indexOf(photo) + by];
      if (next) { photo = next; fallBack(); show(); }
    }

    function fallBack() {
      const there = state.gallery.columns.filter((key) => photo.tiles[key]);
      for (const side of ["left", "right"]) if (!there.includes(sides[side])) sides[side] = side === "right" ? there.at(-1) : there[0];
    }

    function show() {
      const position = dialog.querySelector(".compare input")?.value ?? "50";
      const picture = (side, over) => element("img", { class: over ? "over" : null, src: `${photo.tiles[sides[side]]}.png`, width: photo.size[0], height: photo.size[1], alt: `${photo.id}: ${name(sides[side])}` });
      const compare = element("div", { class: "compare", style: `--x:${position};width:${width()}` }, picture("left"), picture("right", true),
        element("span", { class: "tag left" }, name(sides.left)), element("span", { class: "tag right" }, name(sides.right)), element("span", { class: "line" }),
        element("input", { type: "range", min: 0, max: 100, step: 0.5, value: position, "aria-label": `${name(sides.left)} on the left, ${name(sides.right)} on the right` }));
      const sizes = [["fit", "Fit"], [1, "1:1"], [2, "2:1"], [4, "4:1"]].map(([key, text]) => element("button", { type: "button", class: "button", "aria-pressed": String(key === zoom), onclick: () => { zoom = key; show(); } }, text));
      const bar = element("div", { class: "bar" }, element("h2", { id: "box-title" }, photo.id), select("Left", "left"), select("Right", "right"),
        element("div", { class: "buttons", role: "group", "aria-label": "Size" }, ...sizes),
        element("div", { class: "buttons", role: "group", "aria-label": "Photograph" },
          element("button", { type: "button", class: "button", onclick: () => step(-1), "aria-label": "previous photograph" }, "‹"),
          element("button", { type: "button", class: "button", onclick: () => step(1), "aria-label": "next photograph" }, "›")),
        element("button", { type: "button", class: "button", onclick: () => dialog.close() }, "Close"));
      const table = element("table", {}, element("thead", {}, element("tr", {}, element("th", { scope: "col" }, ""), ...state.gallery.metrics.map((one) => element("th", { scope: "col" }, one.label)))));
      const body = element("tbody");
      for (const key of new Set([sides.left, sides.right])) {
        if (photo.values[key]) body.append(element("tr", {}, element("th", { scope: "row" }, name(key)), ...state.gallery.metrics.map((one, number) => element("td", {}, figureText(photo.values[key][number], one.digits)))));
      }
      table.append(body);
      const figures = element("div", { class: "figures" }, ...(body.rows.length ? [table] : []));
      dialog.replaceChildren(bar, element("div", { class: "stage" }, compare), figures);
      dialog.querySelector(".compare input").focus();
    }

    dialog.addEventListener("keydown", (event) => {
      if (event.key === "PageDown" || event.key === "PageUp") { event.preventDefault(); step(event.key === "PageDown" ? 1 : -1); }
    });

    return { open(one, key) {
      photo = one;
      zoom = "fit";
      const opposite = key === "truth" ? state.gallery.columns.find((other) => other !== "grey" && other !== "truth" && photo.tiles[other]) ?? "grey" : "truth";
      sides = { left: key, right: opposite };
      fallBack();
      show();
      dialog.showModal();
      dialog.querySelector(".compare input").focus();
    } };
  })();

  begin();
})();
