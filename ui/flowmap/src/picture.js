/** The map as a PNG: base map, flows, box and legend on one canvas. */
import { formatPoint } from './scale.js';
import { css, legendRows } from './legend.js';
import { ATTRIBUTION } from './basemap.js';

const FONT = '12px sans-serif';

/**
 * @param {object} view
 * @param {any} view.map @param {any} view.overlay @param {HTMLElement} view.boxNode
 * @param {string} view.outline the shape as an SVG path @param {boolean} view.isOwnStyle @param {import('./boxmath.js').Box|null} view.box @param {import('./flowdata.js').Scale} view.scale @param {import('./theme.js').Palette} view.palette
 * @returns {Promise<Blob>}
 */
export async function takePicture(view) {
  const { map, overlay } = view;
  const base = map.getCanvas();
  const canvas = document.createElement('canvas');
  canvas.width = base.width;
  canvas.height = base.height;
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  // Neither canvas keeps its picture after the frame: copy both inside the frame that draws them.
  await new Promise((resolve) => {
    map.once('render', () => {
      overlay._deck.redraw('picture');
      pen.drawImage(base, 0, 0);
      pen.drawImage(overlay.getCanvas(), 0, 0, canvas.width, canvas.height);
      resolve(undefined);
    });
    map.triggerRepaint();
  });
  const ratio = base.width / base.clientWidth;
  pen.scale(ratio, ratio);
  pen.font = FONT;
  pen.textBaseline = 'middle';
  drawBox(pen, view);
  drawShape(pen, view);
  drawLegend(pen, view, base.clientHeight);
  pen.textAlign = 'right';
  const source = view.isOwnStyle ? 'WGS 84' : `${ATTRIBUTION} · WGS 84`;
  write(pen, source, { x: base.clientWidth - 8, y: base.clientHeight - 10, color: view.palette.label, halo: view.palette.halo });
  return await new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no picture'))), 'image/png'));
}

function drawBox(pen, { box, boxNode, palette }) {
  if (!box) {
    return;
  }
  const { offsetLeft: x, offsetTop: y, offsetWidth: width, offsetHeight: height } = boxNode;
  pen.strokeStyle = css(palette.selected);
  pen.lineWidth = 2;
  pen.strokeRect(x, y, width, height);
  const text = `${formatPoint(box[0], box[1])} to ${formatPoint(box[2], box[3])}`;
  write(pen, text, { x, y: y - 10, color: css(palette.selected), halo: palette.halo });
}

function drawShape(pen, { outline, palette }) {
  pen.strokeStyle = css(palette.selected);
  pen.lineWidth = 2;
  pen.stroke(new Path2D(outline));
}

function drawLegend(pen, { scale, palette }, height) {
  legendRows(scale.flow, palette).forEach((row, i) => {
    const y = height - 20 - 18 * i;
    pen.fillStyle = row.color;
    pen.fillRect(12, y - row.height / 2, 32, row.height);
    write(pen, `${row.label} trips`, { x: 52, y, color: palette.label, halo: palette.halo });
  });
}

/** Text with a halo, so that it reads on whatever lies below. */
function write(pen, text, { x, y, color, halo }) {
  pen.strokeStyle = halo;
  pen.lineWidth = 3.5;
  pen.lineJoin = 'round';
  pen.strokeText(text, x, y);
  pen.fillStyle = color;
  pen.fillText(text, x, y);
}

/** @param {Blob} blob @param {string} name */
export function saveBlob(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
