"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data-turing").textContent);
  const place = document.getElementById("test");
  const EXPOSURE = 1000;
  const answers = [];
  let choose = null;

  function element(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value !== false) node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children);
    return node;
  }

  const chance = () => crypto.getRandomValues(new Uint32Array(1))[0] / 2 ** 32;
  function shuffled(list) {
    const copy = [...list];
    for (let end = copy.length - 1; end > 0; end -= 1) {
      const other = Math.floor(chance() * (end + 1));
      [copy[end], copy[other]] = [copy[other], copy[end]];
    }
    return copy;
  }
  const wait = (time) => new Promise((done) => setTimeout(done, time));
  const loaded = async (name) => {
    const image = element("img", { src: `turing/${name}`, alt: "" });
    await image.decode();
    return image;
  };

  document.addEventListener("keydown", (event) => {
    const side = { ArrowLeft: 0, f: 0, F: 0, ArrowRight: 1, j: 1, J: 1 }[event.key];
    if (side !== undefined && choose && !event.repeat) { event.preventDefault(); choose(side); }
  });

  // one trial: both pictures for one second, then the choice; gives the name chosen
  async function trial(pair, title, done, count) {
    const [left, right] = shuffled(pair);
    const images = await Promise.all([loaded(left), loaded(right)]);
    const frames = images.map(() => element("div", { class: "frame", style: `--ratio:${images[0].naturalWidth}/${images[0].naturalHeight}` }));
    const buttons = ["Left", "Right"].map((word, side) => element("button", { type: "button", class: "button", disabled: true, onclick: () => choose?.(side) }, `${word} has the real colors`));
    const say = element("p", { class: "say", role: "status" }, "Look …");
    place.replaceChildren(
      element("h1", { class: "hidden" }, "Which has the real colors?"),
      element("div", { class: "meter", role: "progressbar", "aria-valuenow": done, "aria-valuemin": 0, "aria-valuemax": count, "aria-label": "trials done" }, element("i", { style: `width:${(100 * done) / count}%` })),
      element("p", { class: "soft small" }, title),
      element("div", { class: "pair" }, ...frames.map((frame, side) => element("div", {}, frame, buttons[side]))), say);
    place.dataset.phase = "look";
    await wait(400);
    frames.forEach((frame, side) => frame.append(images[side]));
    await wait(EXPOSURE);
    frames.forEach((frame) => frame.replaceChildren());
    buttons.forEach((button) => { button.disabled = false; });
    say.textContent = "Which had the real colors?";
    place.dataset.phase = "choose";
    const asked = performance.now();
    const side = await new Promise((answer) => { choose = answer; });
    choose = null;
    buttons.forEach((button) => { button.disabled = true; });
    return { left, right, chosen: side ? right : left, milliseconds: Math.round(performance.now() - asked), frames, images, say };
  }

  function screen(phase, title, ...rest) {
    place.replaceChildren(element("h1", {}, title), ...rest);
    place.dataset.phase = phase;
  }
  function pressed(words) {
    return new Promise((done) => {
      const button = element("button", { type: "button", class: "button go", onclick: done }, words);
      place.append(button);
      button.focus();
    });
  }

  async function run() {
    screen("start", "Which has the real colors?",
      element("p", {}, `Two versions of a photograph appear for one second. One has the colors the camera saw, or comes closer to them. Say which: ${data.practice.length} times for practice, then ${data.trials.length} times.`),
      element("ul", {}, element("li", {}, "Choose with the arrow keys, with F and J, or by touching a button."),
        element("li", {}, "There is no time limit for the answer; go by your first impression."),
        element("li", {}, "A few pairs are easy on purpose: they show that you are looking.")));
    await pressed("Begin");
    let number = 0;
    for (const one of data.practice) {
      const result = await trial(one.pictures, "Practice, not counted", number, data.practice.length);
      const right = result.chosen === one.real;
      result.frames.forEach((frame, side) => frame.append(result.images[side]));
      result.say.textContent = `${right ? "Yes" : "No"}: the real one was on the ${one.real === result.left ? "left" : "right"}.`;
      number += 1;
      place.dataset.phase = "feedback";
      await pressed("Next");
    }
    if (data.practice.length) {
      screen("ready", "Now it counts", element("p", {}, "From here on there is no feedback."));
      await pressed("Start");
    }
    number = 0;
    for (const pair of shuffled(data.trials)) {
      number += 1;
      const { left, right, chosen, milliseconds } = await trial(pair, `${number} of ${data.trials.length}`, number - 1, data.trials.length);
      answers.push({ left, right, chosen, milliseconds });
    }
    const visitor = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    const content = { version: data.version, experiment: data.experiment, visitor, screen: [innerWidth, innerHeight, devicePixelRatio], answers };
    const address = URL.createObjectURL(new Blob([`${JSON.stringify(content, null, 1)}\n`], { type: "application/json" }));
    screen("done", "Thank you",
      element("p", {}, "Save your answers and hand the file to whoever asked you. Nothing was sent anywhere."),
      element("a", { class: "button go", style: "display:grid;place-items:center", href: address, download: `answers-${visitor}.json`, id: "save" }, "Save the answers"));
    window.turingAnswers = content;
  }
  run().catch((error) => screen("fault", "A picture is missing", element("p", {}, `The folder “turing” must lie beside this page. (${error.message})`)));
})();
