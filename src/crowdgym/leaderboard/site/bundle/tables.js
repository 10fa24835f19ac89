// Sorting and filtering of tables that are complete without this script.
"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const searching = table.matches(".standings") && table.tBodies[0].rows.length > 2;
  const shown = new DataTable(table, { paging: false, info: false, order: [], searching, language: { search: "Search:" } });
  if (!searching) continue;
  table.querySelectorAll("th[data-filter]").forEach((heading) => {
    const column = shown.column(heading);
    const values = [...new Set([...table.tBodies[0].rows].map((row) => row.cells[column.index()].textContent.trim()))];
    if (values.length < 2) return;
    const choice = document.createElement("select");
    choice.setAttribute("aria-label", `Filter by ${heading.dataset.filter}`);
    choice.append(new Option(`every ${heading.dataset.filter}`, ""));
    values.sort().forEach((value) => choice.append(new Option(value, value)));
    choice.addEventListener("change", () => column.search(choice.value, { exact: true }).draw());
    table.closest(".table").prepend(choice);
  });
}
