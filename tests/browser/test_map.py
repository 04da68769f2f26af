"""The map: points at the products' positions, clicks and keys, filters, and following the design."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.browser.page_api import Shop, drawn, ids, moves, rested, start_from
from tests.browser.page_state import until

pytestmark = pytest.mark.browser

COLOURS = """
(points) => {
  const canvas = document.querySelector("#map-canvas");
  const ratio = canvas.width / canvas.clientWidth;
  // Of a copy: Chromium would change how the map itself is painted, were it read from, and say so.
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  const brush = copy.getContext("2d", { willReadFrequently: true });
  brush.drawImage(canvas, 0, 0);
  return points.map(([x, y]) => [...brush.getImageData(Math.round(x * ratio), Math.round(y * ratio), 1, 1).data]);
}
"""
PAINTED = """
() => {
  const canvas = document.querySelector("#map-canvas");
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  const brush = copy.getContext("2d", { willReadFrequently: true });
  brush.drawImage(canvas, 0, 0);
  const data = brush.getImageData(0, 0, canvas.width, canvas.height).data;
  const seen = new Set();
  let painted = 0;
  let white = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] < 128) continue;
    painted += 1;
    if (data[i] === 255 && data[i + 1] === 255 && data[i + 2] === 255) white += 1;
    seen.add((data[i] >> 5) * 64 + (data[i + 1] >> 5) * 8 + (data[i + 2] >> 5));
  }
  return { painted, white, colours: seen.size };
}
"""
ACCENT = """
() => {
  const canvas = document.createElement("canvas");
  const brush = canvas.getContext("2d");
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = "var(--accent)";
  brush.fillStyle = getComputedStyle(probe).color;
  probe.remove();
  brush.fillRect(0, 0, 1, 1);
  return [...brush.getImageData(0, 0, 1, 1).data];
}
"""
PAINTING = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.fixture
def map_page(tab: Any) -> Any:
    """The page with its map open and drawn."""
    tab.click("#tab-map")
    tab.wait_for_selector("#map-canvas")
    until(tab, "() => document.querySelector('#map-canvas').width > 300")
    until(tab, f"() => ({PAINTED})().painted > 0")
    rested(tab)
    return tab


def canvas_position(tab: Any, x: float, y: float) -> tuple[float, float]:
    """Return a point's position on the canvas, while the whole map is in view."""
    width, height = tab.evaluate(
        "() => { const c = document.querySelector('#map-canvas'); return [c.clientWidth, c.clientHeight]; }"
    )
    scale = min(width, height) * 0.92
    return (x - 0.5) * scale + width / 2, (y - 0.5) * scale + height / 2


def most_isolated_row(tab: Any, shop: Shop) -> int:
    """Return the row of the product that is farthest from all others and from the design, on the canvas."""
    drawn_map = shop.get("/v1/map")
    points = [canvas_position(tab, x, y) for x, y in zip(drawn_map["x"], drawn_map["y"], strict=True)]
    away = canvas_position(tab, *shop.similar(tab)["position"])

    def distance(row: int) -> float:
        others = [point for other, point in enumerate(points) if other != row]
        return min(math.dist(points[row], point) for point in [*others, away])

    return max(range(len(points)), key=distance)


def click_at(tab: Any, x: float, y: float) -> None:
    tab.locator("#map-canvas").click(position={"x": x, "y": y})


def design_dot(tab: Any, shop: Shop) -> list[int]:
    """Return the colour at the position of the design's dot."""
    tab.evaluate(PAINTING)
    return list(tab.evaluate(COLOURS, [canvas_position(tab, *shop.similar(tab)["position"])])[0])


def test_map_has_a_colour_for_each_category(map_page: Any, shop: Shop) -> None:
    seen = map_page.evaluate(PAINTED)
    assert seen["painted"] > 90 * 9, "a point for each product"
    assert seen["colours"] > len(shop.about["categories"])
    names = map_page.locator("#map .legend button").all_inner_texts()
    assert [name.strip() for name in names] == [each["name"] for each in shop.about["categories"]]


def test_click_on_a_point_opens_its_product(map_page: Any, shop: Shop) -> None:
    catalogue = shop.get("/v1/map")
    row = most_isolated_row(map_page, shop)
    click_at(map_page, *canvas_position(map_page, catalogue["x"][row], catalogue["y"][row]))
    map_page.wait_for_selector("#map-card .card")
    card = map_page.locator("#map-card .card")
    product = shop.product(catalogue["ids"][row])
    assert card.get_attribute("data-product") == product["id"]
    assert card.locator(".name").inner_text() == product["title"]
    assert card.locator(".score").count() == 0, "nobody asked how like the design it is"
    z = moves(map_page, lambda: card.locator(".start-from").click())
    assert z == shop.z_of(product["code"])


def test_dot_of_the_design_follows_the_design(map_page: Any, shop: Shop) -> None:
    accent = map_page.evaluate(ACCENT)
    assert design_dot(map_page, shop) == accent
    before = canvas_position(map_page, *shop.similar(map_page)["position"])
    far = max(
        shop.get("/v1/products?size=90")["results"],
        key=lambda each: math.dist(canvas_position(map_page, *shop.product(each["id"])["position"]), before),
    )
    start_from(map_page, shop, far["id"])
    after = canvas_position(map_page, *shop.similar(map_page)["position"])
    assert math.dist(before, after) > 20
    assert design_dot(map_page, shop) == accent
    assert map_page.evaluate(COLOURS, [before])[0] != accent


def test_similar_products_have_rings(map_page: Any, shop: Shop) -> None:
    accent = map_page.evaluate(ACCENT)
    catalogue = shop.get("/v1/map")
    ringed = 0
    for product in ids(map_page):
        row = catalogue["ids"].index(product)
        x, y = canvas_position(map_page, catalogue["x"][row], catalogue["y"][row])
        # Somewhere on the ring, where no other point is painted over it.
        around = [(x + 7 * math.cos(turn / 8 * math.tau), y + 7 * math.sin(turn / 8 * math.tau)) for turn in range(8)]
        close = [
            max(abs(one - two) for one, two in zip(colour, accent, strict=True)) < 60
            for colour in map_page.evaluate(COLOURS, around)
        ]
        ringed += any(close)
    assert ringed >= len(ids(map_page)) - 2, "one may lie under another"


def test_map_shows_photos_when_zoomed_in(map_page: Any) -> None:
    urls: list[str] = []
    map_page.on("request", lambda request: urls.append(request.url) if "/thumbnail.webp?" in request.url else None)
    before = map_page.evaluate(PAINTED)
    map_page.focus("#map-canvas")
    for _ in range(3):
        map_page.keyboard.press("+")
    until(map_page, f"least => ({PAINTED})().white > least", before["white"] + 500)
    assert urls
    map_page.get_by_role("button", name="Show all", exact=True).click()
    until(map_page, f"most => ({PAINTED})().white < most", before["white"] + 100)


def test_wheel_zooms_and_drag_moves_the_map(map_page: Any, shop: Shop) -> None:
    map_page.locator("#map-canvas").scroll_into_view_if_needed()
    box = map_page.locator("#map-canvas").bounding_box()
    catalogue = shop.get("/v1/map")
    row = most_isolated_row(map_page, shop)
    x, y = canvas_position(map_page, catalogue["x"][row], catalogue["y"][row])
    map_page.mouse.move(box["x"] + x, box["y"] + y)
    map_page.mouse.wheel(0, -400)
    map_page.evaluate(PAINTING)
    # The point under the pointer stays there; a drag takes it along.
    map_page.mouse.down()
    to = (box["width"] / 2 - x, box["height"] / 2 - y)
    length = math.hypot(*to)
    dx, dy = 60 * to[0] / length, 60 * to[1] / length
    map_page.mouse.move(box["x"] + x + dx, box["y"] + y + dy, steps=6)
    map_page.mouse.up()
    click_at(map_page, x + dx, y + dy)
    map_page.wait_for_selector("#map-card .card")
    assert map_page.locator("#map-card .card").get_attribute("data-product") == catalogue["ids"][row]


def test_legend_click_dims_other_categories_and_filters_the_lists(map_page: Any, shop: Shop) -> None:
    catalogue = shop.get("/v1/map")
    kept = catalogue["categories"].index("bags")
    where = {"category": ["bags"]}
    here = [canvas_position(map_page, x, y) for x, y in zip(catalogue["x"], catalogue["y"], strict=True)]
    out = [row for row, category in enumerate(catalogue["category"]) if category != kept]

    def opacity() -> float:
        """Return the mean opacity of the other categories' points."""
        seen = map_page.evaluate(COLOURS, [here[row] for row in out])
        return sum(each[3] for each in seen) / len(seen)

    strong = opacity()
    map_page.locator("#map .legend button", has_text="bags").click()
    rested(map_page)
    map_page.evaluate(PAINTING)
    assert opacity() < 0.6 * strong
    answer = shop.similar(map_page, where=where)["results"]
    assert ids(map_page) == [each["id"] for each in answer]
    # What is filtered out cannot be clicked: the nearest is one that passes, or there is none within reach.
    map_page.locator("#map-listing summary").click()
    map_page.wait_for_selector(".map-list button")
    bags = sum(1 for category in catalogue["category"] if category == kept)
    assert f"{bags} products in view" in map_page.inner_text("#map-listing summary")
    map_page.locator("#map .legend button", has_text="bags").click()
    rested(map_page)
    map_page.evaluate(PAINTING)
    assert opacity() == pytest.approx(strong, abs=1)


def test_legend_of_colours_has_the_measured_swatches(map_page: Any, shop: Shop) -> None:
    attribute = shop.get("/v1/map")["attributes"]["base_colour"]
    map_page.select_option("#map-colour", label="base colour")
    buttons = map_page.locator("#map .legend button")
    shown = dict(
        buttons.evaluate_all(
            "all => all.map(each => [each.innerText.trim(), each.querySelector('.swatch').style.background])"
        )
    )
    assert shown.keys() == {value for n, value in enumerate(attribute["values"]) if n in attribute["of"]}
    colours = dict(zip(attribute["values"], attribute["colours"], strict=True))
    for name, painted in shown.items():
        assert painted == "rgb({}, {}, {})".format(*bytes.fromhex(colours[name][1:]))


def test_keyboard_moves_between_products_and_opens_one(map_page: Any, shop: Shop) -> None:
    map_page.focus("#map-canvas")
    map_page.keyboard.press("ArrowRight")
    until(map_page, "() => /, (footwear|bags|eyewear)$/.test(document.querySelector('#live').textContent)")
    message = map_page.inner_text("#live")
    before = drawn(map_page)
    other = """said => {
      const now = document.querySelector("#live").textContent;
      return now !== said && /, (footwear|bags|eyewear)$/.test(now);
    }"""
    for key in ("ArrowLeft", "ArrowUp", "ArrowDown", "ArrowRight"):  # where no product lies, it stays
        map_page.keyboard.press(key)
        map_page.wait_for_timeout(100)
        if map_page.evaluate(other, message):
            break
    until(map_page, other, message)
    message = map_page.inner_text("#live")
    map_page.keyboard.press("Enter")
    map_page.wait_for_selector("#map-card .card")
    card = map_page.locator("#map-card .card")
    assert message.startswith(card.locator(".name").inner_text())
    assert map_page.evaluate("document.activeElement.closest('#map-card') !== null")
    map_page.keyboard.press("Enter")
    assert map_page.is_hidden("#map-card")
    assert map_page.evaluate("document.activeElement.id") == "map-canvas", "the focus goes back to the map"
    assert drawn(map_page) == before, "no key of the map moved the design"


def test_list_beside_the_map_opens_products(map_page: Any, shop: Shop) -> None:
    map_page.locator("#map-listing summary").click()
    first = map_page.locator(".map-list button").first
    first.wait_for()
    until(map_page, "() => !/^sample-/.test(document.querySelector('.map-list button').textContent)")
    title = first.inner_text()
    first.click()
    map_page.wait_for_selector("#map-card .card")
    assert map_page.locator("#map-card .name").inner_text() == title
