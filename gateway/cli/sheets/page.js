"use strict";
(() => {
  const form = document.getElementById("filter");
  const [text, role, state] = ["text", "role", "state"].map((name) => form.elements[name]);
  const table = document.getElementById("matrix");
  const rows = [...table.querySelectorAll("tr[data-text]")];
  const services = [...table.tBodies];
  const columns = table.tHead.rows[0].cells;
  let shown = "";

  const showColumns = (only) => {
    if (only === shown) return;
    shown = only;
    for (const row of [table.tHead.rows[0], ...rows]) {
      for (let place = 1; place < row.cells.length; place += 1) {
        row.cells[place].hidden = only !== "" && Number(only) !== place;
      }
    }
    for (const row of table.querySelectorAll("tr.service")) {
      row.cells[1].colSpan = only === "" ? columns.length - 1 : 1;
    }
  };

  const fits = (row) => {
    if (state.value === "") return true;
    if (role.value !== "") return row.cells[Number(role.value)].classList.contains(state.value);
    return [...row.cells].some((cell) => cell.classList.contains(state.value));
  };

  const apply = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    showColumns(role.value);
    let count = 0;
    for (const row of rows) {
      row.hidden = !(words.every((word) => row.dataset.text.includes(word)) && fits(row));
      count += row.hidden ? 0 : 1;
    }
    for (const body of services) {
      body.hidden = [...body.rows].every((row) => row.hidden || row.className === "service");
    }
    form.elements.count.value = `${count} of ${rows.length} operations`;
  };

  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  apply();
})();
