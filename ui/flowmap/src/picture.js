/** The map as a PNG: base map, flows, box and legend on one canvas. */
import { formatPoint } from './scale.js';
import { css, legendRows } from './legend.js';
import { ATTRIBUTION } from './basemap.js';

const FONT = '12px sans-serif';

/**
 * @param {object} view
 * @param {any} view.map @param {any} view.overlay @param {HTMLElement} view.boxNode
 * @param {import('./boxmath.js').Box|null} view.box @param {import('./flowdata.js').Scale} view.scale @param {import('./theme.js').Palette} view.palette
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
  drawLegend(pen, view, base.clientHeight);
  pen.fillStyle = view.palette.label;
  pen.textAlign = 'right';
  pen.fillText(`${ATTRIBUTION} · WGS 84`, base.clientWidth - 8, base.clientHeight - 10);
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
  pen.fillStyle = css(palette.selected);
  pen.fillText(`${formatPoint(box[0], box[1])} to ${formatPoint(box[2], box[3])}`, x + 4, y - 9);
}

function drawLegend(pen, { scale, palette }, height) {
  legendRows(scale.flow, palette).forEach((row, i) => {
    const y = height - 20 - 18 * i;
    pen.fillStyle = row.color;
    pen.fillRect(12, y - row.height / 2, 32, row.height);
    pen.fillStyle = palette.label;
    pen.fillText(`${row.label} trips`, 52, y);
  });
}

/** @param {Blob} blob @param {string} name */
export function saveBlob(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
