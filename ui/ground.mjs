/** Packs the base map's countries: the most detailed coasts and borders, without the vertices that a city's map does not show. */

const TOLERANCE_DEG = 0.01; // 1 km: 171,000 of 477,000 vertices, 1.7 of 3.7 MB; countries-50m has 0.8 MB and is out by several km
const STEP_DEG = 0.001;

/** Topology of land and countries. @param {any} topology world-atlas countries-10m */
export function packCountries({ transform, arcs, objects }) {
  return {
    type: 'Topology',
    transform: { scale: [STEP_DEG, STEP_DEG], translate: transform.translate },
    arcs: arcs.map((arc) => toSteps(simplify(toDegrees(arc, transform.scale), TOLERANCE_DEG))),
    objects: { land: keepShapes(objects.land), countries: keepShapes(objects.countries) },
  };
}

/**
 * Leave out points that lie within the tolerance of the line through the others (Douglas and Peucker). Ends stay.
 * @param {number[][]} points @param {number} tolerance
 */
export function simplify(points, tolerance) {
  const isKept = new Uint8Array(points.length);
  isKept[0] = isKept[points.length - 1] = 1;
  const parts = [[0, points.length - 1]];
  while (parts.length > 0) {
    const [first, last] = parts.pop();
    let farthest = -1;
    let most = tolerance;
    for (let i = first + 1; i < last; i += 1) {
      const distance = distanceToLine(points[i], points[first], points[last]);
      if (distance > most) {
        farthest = i;
        most = distance;
      }
    }
    if (farthest > 0) {
      isKept[farthest] = 1;
      parts.push([first, farthest], [farthest, last]);
    }
  }
  return points.filter((_, i) => isKept[i]);
}

function distanceToLine([x, y], [startX, startY], [endX, endY]) {
  const [alongX, alongY] = [endX - startX, endY - startY];
  const length = alongX ** 2 + alongY ** 2;
  const share = length ? Math.min(1, Math.max(0, ((x - startX) * alongX + (y - startY) * alongY) / length)) : 0;
  return Math.hypot(x - startX - share * alongX, y - startY - share * alongY);
}

/** Differences of steps to places relative to the translation. */
function toDegrees(arc, [scaleX, scaleY]) {
  let [x, y] = [0, 0];
  return arc.map(([dx, dy]) => [(x += dx) * scaleX, (y += dy) * scaleY]);
}

function toSteps(points) {
  let [beforeX, beforeY] = [0, 0];
  const steps = points.map((point) => {
    const [x, y] = point.map((degrees) => Math.round(degrees / STEP_DEG));
    const step = [x - beforeX, y - beforeY];
    [beforeX, beforeY] = [x, y];
    return step;
  });
  return steps.filter(([dx, dy], i) => i === 0 || i === steps.length - 1 || dx !== 0 || dy !== 0);
}

function keepShapes({ type, geometries }) {
  return { type, geometries: geometries.map((each) => ({ type: each.type, arcs: each.arcs })) };
}
