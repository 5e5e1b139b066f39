/// How the page looks. Colours are Okabe and Ito's (2008), told apart by the colour-blind; each state has a pattern of its
/// own besides, for print and for who sees no colours.
enum ReportStyle {
    /// Patterns by name: the side of the square that repeats, in pixels, and what is in it.
    static let patterns: KeyValuePairs<String, (size: Int, markup: String)> = [
        "hatch-protected": (
            6,
            #"<rect width="6" height="6" class="p-protected"/><path d="M-1,1 l2,-2 M0,6 l6,-6 M5,7 l2,-2" class="s-protected"/>"#
        ),
        "hatch-learned": (
            5, #"<rect width="5" height="5" class="p-learned"/><circle cx="2.5" cy="2.5" r="1.1" class="s-learned"/>"#
        ),
        "hatch-absent": (
            7, #"<rect width="7" height="7" class="p-absent"/><path d="M0,0 l7,7 M0,7 l7,-7" class="s-absent"/>"#
        ),
        "hatch-silent": (4, #"<rect width="4" height="4" class="p-silent"/><path d="M1,0 v4" class="s-silent"/>"#),
        "hatch-paused": (4, #"<rect width="4" height="4" class="p-paused"/><path d="M0,1 h4" class="s-paused"/>"#),
        "hatch-changing": (
            4,
            #"<rect width="4" height="4" class="p-absent"/><path d="M0,0 h2 v2 h-2z M2,2 h2 v2 h-2z" class="s-changing"/>"#
        ),
        "hatch-late": (
            5,
            #"<rect width="5" height="5" class="p-protected"/><path d="M-1,1 l2,-2 M0,5 l5,-5 M4,6 l2,-2" class="s-protected"/>"#
        ),
        "hatch-bad": (
            4, #"<rect width="4" height="4" class="p-bad"/><path d="M0,0 l4,4 M0,4 l4,-4" class="s-bad"/>"#
        ),
        "hatch-odd": (4, #"<rect width="4" height="4" class="p-odd"/><path d="M0,2 h4" class="s-odd"/>"#),
    ]

    /// What marks single moments; their middle is at 0, 0.
    static let symbols = #"""
        <path id="mark-warning" class="mark warning" d="M0,-6 l6,11 h-12z"/>\#
        <path id="mark-difference" class="mark difference" d="M0,-6 l6,6 l-6,6 l-6,-6z"/>\#
        <circle id="mark-note" class="mark note" r="4"/>\#
        <path id="mark-once" class="mark once" d="M0,-5 l5,5 l-5,5 l-5,-5z"/>
        """#

    static let sheet = """
        :root {
          color-scheme: light dark;
          --paper: #fff; --ink: #1b1f24; --soft: #5b636b; --rule: #d9dde1; --faint: #f5f6f7;
          --held: #00694c; --violated: #a63c00; --accent: #0072b2; --shade: #8a6d1d1c; --moment: #7a5c00;
          --registered: #a5d8c6; --protected: #f0b541; --protected-line: #7a4a00; --learned: #9ccff0;
          --learned-dot: #004a78; --absent-line: #d55e00; --silent: #e3e5e8; --silent-line: #8b939b;
          --down: #3a4047; --good: #a6d4f2; --bad: #d55e00; --bad-line: #fff; --odd: #cc79a7; --odd-line: #5f2044;
          --count: #7fbf9f; --differences: #cc79a7; --range: #9ccff0; --median: #00456b;
          --label: 15.5rem; --value: 15rem;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --paper: #14171a; --ink: #e4e6e8; --soft: #9aa3ab; --rule: #333a41; --faint: #1c2024;
            --held: #5cc9a4; --violated: #ff9457; --accent: #6fbdf0; --shade: #f0e4421c; --moment: #d8c24a;
            --registered: #1f6a54; --protected: #c98a12; --protected-line: #2b1a00; --learned: #2f78a8;
            --learned-dot: #d7efff; --absent-line: #e8742a; --silent: #2b3138; --silent-line: #7b858e;
            --down: #b9c0c7; --good: #2c6488; --bad: #e06b1c; --bad-line: #14171a; --odd: #b8679a; --odd-line: #f6d8e8;
            --count: #3b8063; --differences: #a95f8a; --range: #235a7d; --median: #a8dcff;
          }
        }
        * { box-sizing: border-box; }
        html { background: var(--paper); color: var(--ink); }
        body {
          margin: 0 auto; padding: 2.5rem 2rem 4rem; max-width: 104rem;
          font: 15px/1.5 "Inter", "Segoe UI", "Helvetica Neue", "Liberation Sans", Arial, system-ui, sans-serif;
          font-variant-numeric: tabular-nums;
        }
        h1 { font-size: 1.75rem; line-height: 1.25; font-weight: 600; letter-spacing: -.01em; margin: 0 0 .6rem; max-width: 48rem; }
        h2 { font-size: 1.15rem; font-weight: 600; margin: 3rem 0 .8rem; }
        h3 { font-size: 1rem; font-weight: 600; margin: 0; padding: 1.6rem 0 .1rem; }
        h3 small { font-weight: 400; color: var(--soft); margin-left: .5rem; font-size: .85rem; }
        h4 { font-size: .75rem; font-weight: 500; color: var(--soft); margin: .75rem 0 .15rem; }
        p { max-width: 44rem; margin: 0 0 .8rem; }
        a { color: inherit; }
        code { font: .9em "JetBrains Mono", "SF Mono", Consolas, "DejaVu Sans Mono", monospace; }
        .eyebrow { color: var(--soft); font-size: .85rem; margin: 0 0 .4rem; }
        .question { font-size: 1.1rem; color: var(--soft); }
        .answer { font-size: 1.1rem; font-weight: 600; margin: 1.4rem 0 .3rem; max-width: none; }
        .held { color: var(--held); } .violated { color: var(--violated); }
        .facts { color: var(--soft); font-size: .85rem; max-width: none; }
        .scroll { overflow-x: auto; }
        .tables { display: grid; grid-template-columns: minmax(22rem, 1fr) auto; align-items: start; justify-content: start; gap: 0 5rem; }
        .outcomes { color: var(--soft); font-size: .82rem; display: flex; flex-wrap: wrap; gap: 0 1.1rem; } .outcomes span { white-space: nowrap; }
        .outcomes b { font-weight: 400; color: var(--ink); }
        table { border-collapse: collapse; font-size: .9rem; }
        th, td { text-align: right; padding: .32rem 0 .32rem 1.6rem; border-bottom: 1px solid var(--rule); white-space: nowrap; }
        th:first-child, td:first-child { text-align: left; padding-left: 0; }
        tbody th { font-weight: 400; }
        thead th { color: var(--soft); font-weight: 500; font-size: .85rem; vertical-align: bottom; }
        th.left, td.left { text-align: left; }
        tbody th a { text-decoration: underline dotted var(--soft); text-underline-offset: .25em; }
        td.best { font-weight: 600; }
        td.best::before { content: "●"; color: var(--accent); font-size: .6em; vertical-align: .2em; margin-right: .5em; }
        td.none { color: var(--soft); }
        #checks td:first-child { white-space: nowrap; }
        tbody th .unit { color: var(--soft); font-size: .82rem; }
        tr.more th, tr.more td { border-top: none; } td.wrap { white-space: normal; max-width: 32rem; vertical-align: top; }
        tr:has(+ tr.more) th, tr:has(+ tr.more) td { border-bottom-color: transparent; }
        .side { margin: 0 0 .2rem; max-width: none; color: var(--soft); } .side b:first-child { color: var(--ink); }
        .less { fill: var(--good); } .more { fill: var(--protected); }
        #checks td { vertical-align: top; } #checks td + td { white-space: normal; }
        .sign { margin-left: .3em; font-weight: 600; }
        .note { color: var(--soft); font-size: .85rem; margin-top: .6rem; }
        dl { columns: 2; column-gap: 3rem; font-size: .85rem; margin: 0; }
        dl div { break-inside: avoid; padding: .25rem 0; }
        dt { font-weight: 600; } dd { margin: 0; color: var(--soft); }
        :target { background: var(--shade); }
        .setting { columns: auto; display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.6rem; }
        .setting dt { font-weight: 400; color: var(--soft); } .setting dd { color: inherit; }
        .reports { font-size: .8rem; color: var(--soft); margin: .3rem 0 0; } .reports summary { cursor: pointer; } .reports dd { color: var(--ink); }
        .legend { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1.8rem; padding: 0; margin: 0 0 .8rem; font-size: .8rem; color: var(--soft); }
        .legend li { display: flex; gap: .5rem; align-items: center; } .legend b { color: var(--ink); font-weight: 500; }
        .legend svg { flex: none; }
        .tools { display: flex; flex-wrap: wrap; gap: .3rem 1.8rem; font-size: .85rem; margin: 0 0 .4rem; align-items: baseline; }
        .tools .hint { color: var(--soft); } .tools .choice label { margin-right: 1rem; }
        .defs { position: absolute; width: 0; height: 0; }

        #board { position: relative; outline-offset: 6px; }
        .row { display: grid; grid-template-columns: var(--label) minmax(0, 1fr) var(--value); column-gap: .9rem; align-items: center; font-size: .78rem; line-height: 1.25; }
        .label { position: relative; display: flex; min-width: 0; align-self: stretch; align-items: center; }
        .label .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
        .label i { position: absolute; right: 0; font-style: normal; font-size: .68rem; color: var(--soft); transform: translateY(-50%); background: var(--paper); padding-left: .3em; }
        .value { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; color: var(--soft); }
        .chart .value { white-space: normal; }
        .pointed .value { color: var(--ink); }
        .axis { position: sticky; top: 0; z-index: 2; background: var(--paper); border-bottom: 1px solid var(--rule); }
        .axis .label { color: var(--soft); } .axis .value { color: var(--ink); font-weight: 600; }
        .faults .label { color: var(--soft); }
        .plot { grid-column: 2; display: block; width: 100%; overflow: hidden; }
        .plot.ruler, .faults .plot { overflow: visible; }
        .chart { margin-top: 5px; }
        .lane .plot { border-bottom: 1px solid var(--rule); }
        .lane:hover .name { color: var(--accent); }
        .quiet { display: none; }
        :root:has(#all:checked) .quiet { display: grid; } :root:has(#all:checked) h4.quiet { display: block; }
        .again { display: none; }
        .tag { display: none; }
        .by-subject .tag { display: block; margin-left: auto; color: var(--soft); }
        .by-subject .lane:not(.first) .name { visibility: hidden; }
        .by-subject .lane.first { margin-top: .55rem; }
        .by-subject .label i { display: none; }
        #cursor { position: absolute; top: 0; bottom: 0; width: 1px; background: var(--ink); pointer-events: none; z-index: 3; }
        #tip { position: fixed; z-index: 4; pointer-events: none; max-width: 24rem; padding: .35rem .6rem; background: var(--paper); border: 1px solid var(--rule); border-radius: 3px; box-shadow: 0 2px 8px #0003; font-size: .8rem; white-space: pre-line; }

        svg text { font-size: 11px; fill: var(--soft); } .faults text { fill: var(--ink); stroke: var(--paper); stroke-width: 3px; paint-order: stroke; }
        rect { shape-rendering: crispEdges; }
        .grid { stroke: var(--rule); stroke-width: 1; shape-rendering: crispEdges; } .tick { stroke: var(--soft); }
        .shade { fill: var(--shade); } .moment { stroke: var(--moment); stroke-dasharray: 2 2; } .fault { fill: var(--moment); }
        .registered { fill: var(--registered); } .protected { fill: url(#hatch-protected); } .learned { fill: url(#hatch-learned); }
        .absent { fill: url(#hatch-absent); } .silent { fill: url(#hatch-silent); } .changing { fill: url(#hatch-changing); }
        .up { fill: var(--soft); } .down, .gone { fill: var(--down); } .paused { fill: url(#hatch-paused); }
        .p-protected { fill: var(--protected); } .s-protected { stroke: var(--protected-line); stroke-width: 1.2; fill: none; }
        .p-learned { fill: var(--learned); } .s-learned { fill: var(--learned-dot); }
        .p-absent { fill: var(--paper); } .s-absent { stroke: var(--absent-line); stroke-width: 1.2; fill: none; }
        .p-silent { fill: var(--silent); } .s-silent { stroke: var(--silent-line); stroke-width: 1; }
        .p-paused { fill: var(--paper); } .s-paused { stroke: var(--down); stroke-width: 2; } .s-changing { fill: var(--soft); }
        .p-bad { fill: var(--bad); } .s-bad { stroke: var(--bad-line); stroke-width: .8; fill: none; }
        .p-odd { fill: var(--odd); } .s-odd { stroke: var(--odd-line); stroke-width: 1.2; }
        .good { fill: var(--good); } .late { fill: url(#hatch-late); } .bad { fill: url(#hatch-bad); } .odd { fill: url(#hatch-odd); }
        .count { fill: var(--count); } .rate { fill: var(--good); } .differences { fill: var(--differences); } .range { fill: var(--range); } .median { fill: var(--median); }
        .mark { stroke: var(--paper); stroke-width: 1; } .warning { fill: var(--bad); } .difference { fill: var(--differences); } .mark.note { fill: var(--soft); } .once { fill: var(--moment); }

        @media (max-width: 1350px) { .tables { display: block; } }
        @media (max-width: 1100px) { :root { --label: 12rem; --value: 10.5rem; } body { padding: 1.5rem 1.2rem 3rem; } }
        @media print {
          @page { size: A4 landscape; margin: 12mm; }
          :root { --label: 12rem; --value: 12rem; }
          body { padding: 0; font-size: 9.5pt; max-width: none; }
          .tools, #tip, #cursor { display: none; }
          .axis { position: static; }
          .row, tr, li, dl div { break-inside: avoid; }
          h2, h3, h4 { break-after: avoid; }
          #timeline, .arm + .arm { break-before: page; }
          .again { display: grid; } .legend { break-inside: avoid; }
          .scroll { overflow: visible; }
        }
        """
}
