// Where a photograph lies behind its glass. View only: nothing here is measured, and nothing is told of how like two are.
// Where the face's five landmarks (eyes, nose tip, mouth corners) are to come: shares of the glass's smaller side, from a
// point in its middle and somewhat above. As far apart as they are in the mean of many faces.
const PLACES = [[-0.118, -0.136], [0.118, -0.136], [0, 0], [-0.097, 0.138], [0.097, 0.138]];
const HIGH = 0.5; // of the glass's height

// The whole photograph, in the middle.
export function whole(picture, glass) {
  const by = Math.min(glass.width / picture.width, glass.height / picture.height);
  return new DOMMatrix([by, 0, 0, by, (glass.width - by * picture.width) / 2, (glass.height - by * picture.height) / 2]);
}

// The face where every other photograph's is: moved, turned and scaled alike in all directions, never bent. All five
// landmarks have a say, by least squares: a detector errs by some pixels in each.
export function byTheFace(picture, glass) {
  const side = Math.min(glass.width, glass.height);
  const from = picture.landmarks.map(([x, y]) => [x * picture.width, y * picture.height]);
  const to = PLACES.map(([x, y]) => [glass.width / 2 + x * side, glass.height * HIGH + y * side]);
  const [a, b] = [middle(from), middle(to)];
  let along = 0, across = 0, spread = 0;
  from.forEach(([x, y], n) => {
    const [dx, dy, ex, ey] = [x - a[0], y - a[1], to[n][0] - b[0], to[n][1] - b[1]];
    along += dx * ex + dy * ey;
    across += dx * ey - dy * ex;
    spread += dx * dx + dy * dy;
  });
  const cos = along / spread, sin = across / spread;
  return new DOMMatrix([cos, sin, -sin, cos, b[0] - (cos * a[0] - sin * a[1]), b[1] - (sin * a[0] + cos * a[1])]);
}

export function hasFace(picture) { return picture.landmarks.length === PLACES.length; }

function middle(points) { return [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length); }
