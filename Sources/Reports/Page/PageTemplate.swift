/// The Mustache template of a page; a constant, so that the program finds it wherever it lies.
enum PageTemplate {
  static let text = """
    {{% CONTENT_TYPE: PAGE}}
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8"/>
    <meta name="viewport" content="width=device-width, initial-scale=1"/>
    <meta name="generator" content="csilink {{version}}"/>
    <title>{{title}}</title>
    <style>
    \(style)
    </style>
    </head>
    <body>
    <header>
    <h1>{{title}}</h1>
    {{#description}}<p class="lead">{{.}}</p>{{/description}}
    <nav aria-label="Sections"><ul>
    {{#sections}}<li><a href="#{{id}}">{{heading}}</a></li>
    {{/sections}}</ul></nav>
    </header>
    <main>
    {{#sections}}
    <section id="{{id}}" aria-labelledby="{{id}}-heading">
    <h2 id="{{id}}-heading">{{heading}}</h2>
    {{#texts}}
    <p>{{.}}</p>
    {{/texts}}
    {{#pictures}}
    <figure>{{{markup}}}<figcaption>{{caption}}</figcaption></figure>
    {{/pictures}}
    {{#tables}}
    <div class="wide" role="region" aria-label="{{caption}}" tabindex="0">
    <table{{#isText}} class="text"{{/isText}}><caption>{{caption}}</caption>
    <thead><tr>{{#keys}}<th scope="col" class="key">{{.}}</th>{{/keys}}{{#columns}}<th scope="col">{{.}}</th>{{/columns}}</tr></thead>
    <tbody>
    {{#rows}}
    <tr>{{#heads}}<th scope="row">{{.}}</th>{{/heads}}{{#cells}}<td>{{.}}</td>{{/cells}}</tr>
    {{/rows}}
    </tbody></table>
    </div>
    {{/tables}}
    {{#glossaries}}
    <dl>{{#terms}}<dt>{{name}}</dt><dd>{{text}}</dd>{{/terms}}</dl>
    {{/glossaries}}
    {{#listings}}
    <details{{#isOpen}} open="open"{{/isOpen}}><summary>{{caption}}</summary><pre>{{text}}</pre></details>
    {{/listings}}
    </section>
    {{/sections}}
    </main>
    </body>
    </html>

    """

  private static let style = """
    :root { color: #222; background: #fff; font: 16px/1.5 system-ui, "Segoe UI", Roboto, Arial, sans-serif; }
    body { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
    h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .3rem; overflow-wrap: anywhere; }
    h2 { font-size: 1.25rem; margin: 2.4rem 0 .6rem; padding-bottom: .2rem; border-bottom: 1px solid #ddd; }
    p { margin: .5rem 0; max-width: 52rem; overflow-wrap: anywhere; }
    .lead { color: #555; font-size: 1.05rem; }
    nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin: .8rem 0 0; padding: 0; }
    a { color: #0a58a0; }
    figure { margin: 1rem 0 1.6rem; }
    figure svg { overflow: visible; }
    figure svg, figure img { display: block; max-width: 100%; height: auto; }
    figcaption { color: #555; font-size: .9rem; max-width: 52rem; margin-top: .3rem; }
    .wide { overflow: auto; max-height: 36rem; margin: .8rem 0; border: 1px solid #e2e2e2; }
    table { border-collapse: collapse; font-size: .87rem; font-variant-numeric: tabular-nums; min-width: 100%; }
    caption { text-align: left; color: #555; padding: .5rem .7rem; }
    th, td { padding: .22rem .55rem; text-align: right; white-space: nowrap; }
    thead th { position: sticky; top: 0; background: #f2f5f8; vertical-align: bottom; white-space: normal; min-width: 4.4rem; }
    thead th.key { text-align: left; min-width: 2rem; }
    tbody th { font-weight: 500; text-align: left; }
    tbody tr:nth-child(even) { background: #fafbfc; }
    .text th, .text td { text-align: left; white-space: normal; vertical-align: top; }
    .text td { overflow-wrap: anywhere; }
    dl { display: grid; grid-template-columns: minmax(9rem, max-content) 1fr; gap: .25rem 1.2rem; margin: .6rem 0; font-size: .93rem; }
    dt { font-weight: 600; overflow-wrap: anywhere; }
    dd { margin: 0; overflow-wrap: anywhere; }
    details { margin: .6rem 0; }
    summary { cursor: pointer; color: #0a58a0; }
    pre { background: #f5f6f7; padding: .7rem .9rem; overflow: auto; font-size: .83rem; line-height: 1.4; white-space: pre-wrap; overflow-wrap: anywhere; }
    @media print { .wide { max-height: none; overflow: visible; border: 0; } details > pre { display: block; } }
    @media (max-width: 40rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; } }
    """
}
