// Copy buttons on code, tabs on the front page. Without it everything is still there to read.
(() => {
  const make = (tag, properties) => Object.assign(document.createElement(tag), properties);

  for (const block of document.querySelectorAll("pre")) {
    const text = block.textContent;
    const button = make("button", { type: "button", className: "copy", textContent: "Copy" });
    button.addEventListener("click", async () => {
      button.textContent = (await copy(text)) ? "Copied" : "Select and copy";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
    block.before(make("div", { className: "code" }));
    block.previousSibling.append(block, button);
  }

  const bar = document.querySelector(".tabs");
  if (!bar) return;
  const panels = [...document.querySelectorAll(".panel")];
  const tabs = panels.map((panel, index) => {
    panel.id = "panel-" + index;
    panel.setAttribute("role", "tabpanel");
    const tab = make("button", { type: "button", textContent: panel.dataset.tab });
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", panel.id);
    tab.addEventListener("click", () => select(index));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = (index + step + panels.length) % panels.length;
      select(next);
      tabs[next].focus();
    });
    bar.append(tab);
    return tab;
  });
  document.body.classList.add("tabbed");
  select(0);

  function select(chosen) {
    panels.forEach((panel, index) => {
      panel.hidden = index !== chosen;
      tabs[index].setAttribute("aria-selected", index === chosen);
      tabs[index].tabIndex = index === chosen ? 0 : -1;
    });
  }

  // The clipboard API exists on https and localhost only.
  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = make("textarea", { value: text });
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      return done;
    }
  }
})();
