/// What moves on the page: the cursor with each lane's value at its time, and the order of the lanes. Without it the page
/// is whole, but still.
enum ReportScript {
    static let text = #"""
        "use strict";
        (() => {
          const board = document.getElementById("board");
          if (!board) return;
          const data = JSON.parse(document.getElementById("data").textContent);
          const axis = board.querySelector(".ruler");
          const cursor = document.getElementById("cursor");
          const now = document.getElementById("now");
          const tip = document.getElementById("tip");
          const place = document.getElementById("lanes");
          const rows = [...board.querySelectorAll(".lane")];
          const values = rows.map((row) => row.querySelector(".value"));

          // Numbers as ReportText.swift says them.
          const number = (value) => (Math.round(value * 100) / 100).toString().replace("-", "−");
          const seconds = (value) => number(value) + " s";
          const millis = (value) => value < 1000 ? number(value) + " ms" : number(value / 1000) + " s";
          const bytes = (value) => {
            for (const [size, unit] of [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"]])
              if (value >= size) return number(value / size) + " " + unit;
            return Math.round(value) + " B";
          };

          const column = (time) => Math.floor((time - data.start) / data.column);
          const columnTimes = (index) => {
            const from = data.start + index * data.column;
            return number(from) + " to " + seconds(Math.min(data.end, from + data.column));
          };
          const spanAt = (spans, time) => spans.find(([from, to]) => from <= time && time < to)
            || (time >= data.end ? spans.findLast(([, to]) => to >= data.end) : undefined);

          // What a lane has at a time: in short for beside it, and at length for the pointer.
          const at = {
            states(lane, time) {
              const span = spanAt(lane.spans, time);
              if (!span) return null;
              const broker = spanAt(lane.broker, time);
              const state = data.states[span[2]];
              const below = broker ? ", broker " + data.states[broker[2]] : "";
              const times = number(span[0]) + " to " + seconds(span[1]) + " (" + seconds(span[1] - span[0]) + ")";
              return [state + below, state + " " + times
                + (broker ? "\nbroker " + data.states[broker[2]] + " since " + seconds(broker[0]) : "")];
            },
            steps(lane, time) {
              const step = lane.steps.findLast(([from]) => from <= time);
              if (!step) return null;
              if (!step[1].length) return ["not running", "not running since " + seconds(step[0])];
              const total = step[1].reduce((sum, one) => sum + one, 0);
              const parts = lane.parts.map((name, index) => step[1][index] + " " + name)
                .filter((_, index) => lane.parts.length === 1 || step[1][index] > 0);
              const text = lane.parts.length === 1 || total === 0 ? "" : " (" + parts.join(", ") + ")";
              return [total + text, total + text + " since " + seconds(step[0])];
            },
            columns(lane, time) {
              const index = Math.min(column(time), lane.counts[0].length - 1);
              const parts = lane.names.map((name, which) => [lane.counts[which][index], name]).filter(([count]) => count > 0);
              const text = parts.reverse().map(([count, name]) => count + " " + name).join(", ") || "none";
              return [text, text + "\nin " + columnTimes(index)];
            },
            rates(lane, time) {
              const index = Math.min(column(time), lane.rates.length - 1);
              const text = lane.unit === "B/s" ? bytes(lane.rates[index]) + "/s" : number(lane.rates[index]) + lane.unit;
              return [text, text + " from " + columnTimes(index)];
            },
            latencies(lane, time) {
              const index = Math.min(column(time), lane.columns.length - 1);
              const found = lane.columns[index];
              if (!found) return ["none taken", "none taken in " + columnTimes(index)];
              const [median, high, count] = found;
              return [millis(median) + ", 99 % " + millis(high),
                "median " + millis(median) + ", 99 % " + millis(high) + "\n" + count + " taken in " + columnTimes(index)];
            },
            marks(lane, time) {
              const near = (data.end - data.start) / 150;
              const found = lane.marks.filter(([when]) => Math.abs(when - time) <= near)
                .sort((one, other) => Math.abs(one[0] - time) - Math.abs(other[0] - time));
              if (!found.length) return ["", "nothing near"];
              const texts = found.slice(0, 6).map(([when, text]) => seconds(when) + ": " + text);
              return [texts[0], texts.join("\n") + (found.length > 6 ? "\nand " + (found.length - 6) + " more" : "")];
            },
          };
          const valueAt = (row, time) => {
            const lane = data.lanes[row.dataset.lane];
            const summary = row.querySelector(".value").dataset.summary;
            return at[lane.kind](lane, time) || [summary, summary];
          };

          let time = null, pinned = false, drawn = false, pointer = null;
          const show = () => {
            drawn = false;
            board.classList.toggle("pointed", time !== null);
            cursor.hidden = time === null;
            if (time === null) {
              now.textContent = "";
              tip.hidden = true;
              values.forEach((value) => value.textContent = value.dataset.summary);
              return;
            }
            const plot = axis.getBoundingClientRect(), frame = board.getBoundingClientRect();
            cursor.style.left = plot.left - frame.left + (time - data.start) / (data.end - data.start) * plot.width + "px";
            now.textContent = (pinned ? "▪ " : "") + seconds(time);
            rows.forEach((row, index) => values[index].textContent = valueAt(row, time)[0]);
            tip.hidden = !pointer;
            if (!pointer) return;
            const arm = pointer.row.dataset.arm;
            const faults = data.faults[arm].filter(([from, to]) => from <= time && (time < to || from === to && time - from < data.column))
              .map((fault) => "fault " + fault[2]);
            tip.textContent = [seconds(time) + " · " + arm + " · " + pointer.row.dataset.subject,
              valueAt(pointer.row, time)[1], ...faults].join("\n");
            const width = tip.offsetWidth, height = tip.offsetHeight;
            tip.style.left = Math.max(4, Math.min(pointer.x + 14, innerWidth - width - 8)) + "px";
            tip.style.top = (pointer.y + 18 + height > innerHeight ? pointer.y - height - 12 : pointer.y + 18) + "px";
          };
          const soon = () => {
            if (!drawn) requestAnimationFrame(show);
            drawn = true;
          };
          const clamp = (value) => Math.min(data.end, Math.max(data.start, value));

          board.addEventListener("pointermove", (event) => {
            const plot = axis.getBoundingClientRect();
            const isInside = event.clientX >= plot.left && event.clientX <= plot.right;
            const row = event.target.closest(".lane");
            pointer = isInside && row ? { row, x: event.clientX, y: event.clientY } : null;
            if (!pinned) time = isInside ? clamp(data.start + (event.clientX - plot.left) / plot.width * (data.end - data.start)) : null;
            soon();
          });
          board.addEventListener("pointerleave", () => {
            pointer = null;
            if (!pinned) time = null;
            soon();
          });
          board.addEventListener("click", (event) => {
            if (time === null || !event.target.closest(".plot")) return;
            pinned = !pinned;
            soon();
          });

          // Every time at which a lane changes, for the keys.
          const changes = [...new Set(data.lanes.flatMap((lane) =>
            lane.kind === "states" ? lane.spans.map(([from]) => from)
              : lane.kind === "steps" ? lane.steps.map(([from]) => from)
              : lane.kind === "marks" ? lane.marks.map(([when]) => when) : []))].sort((one, other) => one - other);
          board.addEventListener("keydown", (event) => {
            const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
            if (way) {
              const old = time === null ? data.start : time;
              const next = way > 0 ? changes.find((one) => one > old) : changes.findLast((one) => one < old);
              time = clamp(event.shiftKey ? (next === undefined ? old : next) : time === null ? old : old + way * data.column);
            } else if (event.key === "Home" || event.key === "End") time = event.key === "Home" ? data.start : data.end;
            else if (event.key === "Escape" && time !== null) time = null;
            else return;
            event.preventDefault();
            pinned = time !== null;
            pointer = null;
            soon();
          });
          addEventListener("resize", soon);
          addEventListener("beforeprint", () => {
            time = null;
            pinned = false;
            show();
            document.querySelectorAll("details").forEach((one) => one.open = true);
          });

          // The order of the lanes.
          const byArm = [...place.childNodes];
          const bySubject = () => {
            const sorted = [...rows].sort((one, other) => one.dataset.order - other.dataset.order || one.dataset.lane - other.dataset.lane);
            const section = document.createElement("section");
            let group = null, subject = null, heading = null;
            for (const row of sorted) {
              if (row.dataset.group !== group) {
                group = row.dataset.group;
                heading = section.appendChild(document.createElement("h4"));
                heading.textContent = group;
                heading.className = "quiet";
              }
              if (!row.classList.contains("quiet")) heading.className = "";
              row.classList.toggle("first", row.dataset.order !== subject);
              subject = row.dataset.order;
              section.append(row);
            }
            return section;
          };
          const home = rows.map((row) => [row, row.parentNode, row.nextSibling]);
          document.querySelectorAll("input[name=order]").forEach((input) => input.addEventListener("change", () => {
            board.className = input.value;
            if (input.value === "by-subject") place.replaceChildren(bySubject());
            else {
              place.replaceChildren(...byArm);
              for (const [row, parent, next] of home.toReversed()) parent.insertBefore(row, next);
            }
            soon();
          }));
        })();
        """#
}
