//! Bold text, from a font that has no bold face.
//!
//! The fonts of egui come in one weight. We paint the glyphs of bold text a second time, a little to the right, as print
//! shops once did: the widths stay, so carets and wrapping do too.

use eframe::egui::{
    Galley,
    epaint::{Mesh, text::Row},
};
use std::sync::Arc;

/// How far the second print is from the first, in parts of the font's height.
const SHIFT: f32 = 0.035;
/// Larger text is printed three times, so that its strokes stay whole.
const LARGE: f32 = 20.0;

/// Makes the characters bold for which `bold` is set; one entry for each character of the galley.
pub fn embolden(galley: Arc<Galley>, bold: &[bool]) -> Arc<Galley> {
    if !bold.contains(&true) {
        return galley;
    }
    let mut out = Galley::clone(&galley);
    let mut at = 0;
    for placed in &mut out.rows {
        let end = at + placed.row.glyphs.len();
        let here = bold.get(at..end).unwrap_or_default();
        if here.contains(&true) {
            let mut row = Row::clone(&placed.row);
            let before = (row.visuals.mesh.vertices.len(), row.visuals.mesh.indices.len());
            print_again(&mut row, here);
            out.num_vertices += row.visuals.mesh.vertices.len() - before.0;
            out.num_indices += row.visuals.mesh.indices.len() - before.1;
            placed.row = Arc::new(row);
        }
        at = end + usize::from(placed.ends_with_newline);
    }
    Arc::new(out)
}

fn print_again(row: &mut Row, bold: &[bool]) {
    let mesh: &mut Mesh = &mut row.visuals.mesh;
    for (glyph, _) in
        row.glyphs.iter().zip(bold).filter(|(glyph, bold)| **bold && !glyph.uv_rect.is_nothing())
    {
        let first = glyph.first_vertex as usize;
        let Some(corners) = mesh.vertices.get(first..first + 4).map(<[_]>::to_vec) else { continue };
        let shift = (glyph.font_height * SHIFT).max(0.4);
        let steps: &[f32] = if glyph.font_height > LARGE { &[0.55, 1.2] } else { &[1.0] };
        for step in steps {
            let start = mesh.vertices.len() as u32;
            mesh.vertices.extend(corners.iter().map(|corner| {
                let mut moved = *corner;
                moved.pos.x += shift * step;
                moved
            }));
            mesh.indices.extend([0, 1, 2, 2, 1, 3].map(|corner| start + corner));
        }
    }
}
