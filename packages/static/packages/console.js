/* The console without a mouse: canned texts, filters that apply at once, ticking, and shortcuts, which `?` lists. */
"use strict";

(() => {
  const each = (selector, act) => document.querySelectorAll(selector).forEach(act);

  each("select[data-inserts-into]", (select) => {
    select.addEventListener("change", () => {
      const field = document.getElementById(select.dataset.insertsInto);
      if (!field || !select.value) return;
      field.setRangeText(select.value, field.selectionStart, field.selectionEnd, "end");
      select.value = "";
      field.focus();
    });
  });

  each("[data-submits]", (field) => field.addEventListener("change", () => field.form.requestSubmit()));

  const ticks = [...document.querySelectorAll("input[name=review][type=checkbox]")];
  each("[data-tick-all]", (all) => {
    all.addEventListener("change", () => ticks.forEach((tick) => { tick.checked = all.checked; }));
  });

  const rows = [...document.querySelectorAll("tr[data-row]")];
  let current = -1;
  const move = (step) => {
    if (!rows.length) return;
    rows[current]?.classList.remove("is-current");
    current = Math.min(Math.max(current + step, 0), rows.length - 1);
    rows[current].classList.add("is-current");
    rows[current].querySelector("[data-open]").focus();
  };
  const onRow = {
    j: () => move(1),
    k: () => move(-1),
    o: () => rows[current]?.querySelector("[data-open]").click(),
    x: () => rows[current]?.querySelector("input[type=checkbox]").click(),
  };

  const press = (target) => {
    if (target.matches("summary")) {
      target.parentElement.open = true;
      target.scrollIntoView({ block: "nearest" });
      target.parentElement.querySelector("input:not([type=hidden]), textarea")?.focus();
    } else if (target.matches("input")) {
      target.focus();
    } else {
      target.click();
    }
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input:not([type=checkbox]), textarea, select")) return;
    const list = document.getElementById("keys");
    if (list?.open) return;
    if (event.key === "?" && list) {
      list.showModal();
      return;
    }
    const target = document.querySelector(`[data-shortcut="${CSS.escape(event.key)}"]`);
    const act = target ? () => press(target) : rows.length && onRow[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
})();
