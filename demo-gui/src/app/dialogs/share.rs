//! The share card: a QR code, a link, and an honest line.

use crate::app::App;
use crate::icons::{self, Icon, Sign};
use crate::parts::{choices, dialog, primary, weak};
use crate::theme::palette;
use eframe::egui::{
    self, Color32, ColorImage, CornerRadius, Label, Layout, Margin, RichText, Role, Sense, TextEdit,
    TextureHandle, TextureOptions, Ui, WidgetInfo, vec2,
};

/// The card's state.
#[derive(Default)]
pub struct Share {
    read_only: bool,
    copied: bool,
    code: Option<(String, TextureHandle)>,
}

impl App {
    pub(super) fn share_card(&mut self, ui: &Ui, mut share: Share) -> Option<Share> {
        let words = self.words;
        let card = self.open.as_ref().and_then(|open| open.card.clone());
        let mut stop = false;
        let closed = dialog(ui, words.share_title, words.close, 400.0, |ui| {
            weak(ui, words.share_lead);
            ui.add_space(6.0);
            let Some(card) = &card else {
                ui.horizontal(|ui| {
                    ui.add(egui::Spinner::new().size(18.0));
                    ui.label(words.starting);
                });
                return;
            };
            let rights = [(false, words.can_edit), (true, words.can_read)];
            ui.vertical_centered(|ui| {
                ui.allocate_ui_with_layout(
                    vec2(ui.available_width(), 34.0),
                    Layout::top_down(egui::Align::Center),
                    |ui| {
                        let width = 190.0;
                        ui.allocate_ui(vec2(width, 32.0), |ui| {
                            if let Some(read_only) = choices(ui, words.share, &rights, share.read_only) {
                                (share.read_only, share.copied) = (read_only, false);
                            }
                        });
                    },
                );
            });
            let link = if share.read_only { &card.read } else { &card.edit };
            ui.add_space(4.0);
            ui.vertical_centered(|ui| {
                code(ui, &mut share.code, link, words.qr_code);
                weak(ui, words.scan);
            });
            ui.add_space(6.0);
            ui.horizontal(|ui| {
                let copy = if share.copied { words.copied } else { words.copy };
                let icon = if share.copied { Icon::Tick } else { Icon::Copy };
                let mut shown: &str = link;
                ui.with_layout(Layout::right_to_left(egui::Align::Center), |ui| {
                    if primary(ui, Some(icon), copy).clicked() {
                        ui.ctx().copy_text(link.clone());
                        share.copied = true;
                    }
                    let edit = TextEdit::singleline(&mut shown).margin(Margin::symmetric(10, 8));
                    let response = ui.add(edit.desired_width(f32::INFINITY).font(egui::TextStyle::Small));
                    response.widget_info(|| {
                        let mut info = WidgetInfo::labeled(Role::TextInput, true, words.link);
                        info.current_text_value = Some(link.clone());
                        info
                    });
                });
            });
            ui.add_space(4.0);
            honest_line(ui, words.not_encrypted);
            ui.add_space(2.0);
            let colors = palette(ui);
            stop = ui.button(RichText::new(words.stop_sharing).color(colors.bad)).clicked();
        });
        if stop {
            self.unshare();
            return None;
        }
        (!closed).then_some(share)
    }
}

/// What is not safe is said where one shares.
fn honest_line(ui: &mut Ui, text: &str) {
    let colors = palette(ui);
    let frame = egui::Frame::new().fill(colors.code).corner_radius(8).inner_margin(Margin::symmetric(12, 8));
    frame.show(ui, |ui| {
        ui.horizontal(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(14.0, 16.0), Sense::hover());
            icons::paint_sign(ui.painter(), Sign::Triangle, rect.center(), colors.warn);
            ui.add(Label::new(RichText::new(text).size(13.0).color(colors.text)).wrap());
        });
    });
}

/// The QR code of a link, black on white in every theme: cameras want it so.
fn code(ui: &mut Ui, cached: &mut Option<(String, TextureHandle)>, link: &str, name: &str) {
    if cached.as_ref().is_none_or(|(of, _)| of != link) {
        *cached = picture(link).map(|image| {
            let texture = ui.ctx().load_texture("qr", image, TextureOptions::NEAREST);
            (link.to_owned(), texture)
        });
    }
    let Some((_, texture)) = cached else { return };
    let side = 232.0_f32.min(ui.ctx().content_rect().height() * 0.36);
    let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    ui.painter().rect_filled(rect, CornerRadius::same(12), Color32::WHITE);
    ui.painter().rect_stroke(
        rect,
        CornerRadius::same(12),
        egui::Stroke::new(1.0, palette(ui).line),
        egui::StrokeKind::Inside,
    );
    let uv = egui::Rect::from_min_max(egui::pos2(0.0, 0.0), egui::pos2(1.0, 1.0));
    // Whole pixels for each module, so that all are of one size.
    let modules = texture.size()[0] as f32;
    let pixel = 1.0 / ui.pixels_per_point();
    let module = ((side - 20.0) / modules / pixel).floor().max(1.0) * pixel;
    let inner = egui::Rect::from_center_size(rect.center(), vec2(module * modules, module * modules));
    let inner = inner.translate(vec2(-(inner.left() % pixel), -(inner.top() % pixel)));
    ui.painter().image(texture.id(), inner, uv, Color32::WHITE);
}

/// One pixel for each module, with the quiet zone that scanners need.
fn picture(link: &str) -> Option<ColorImage> {
    let code = qrcode::QrCode::with_error_correction_level(link, qrcode::EcLevel::M).ok()?;
    let quiet = 2;
    let side = code.width() + 2 * quiet;
    let mut image = ColorImage::filled([side, side], Color32::WHITE);
    for (index, color) in code.to_colors().into_iter().enumerate() {
        let (x, y) = (index % code.width() + quiet, index / code.width() + quiet);
        if color == qrcode::Color::Dark {
            image.pixels[y * side + x] = Color32::from_rgb(16, 19, 24);
        }
    }
    Some(image)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_link_becomes_a_code() {
        let link = "http://192.168.1.20:8765/#abcdefghijklmnopqrstuvwxyz.abcdefghijklmnopqrstuvwxyz";
        let image = super::picture(link).expect("it fits");
        assert!(image.size[0] > 25 && image.size[0] == image.size[1]);
        assert!(super::picture(&"x".repeat(5000)).is_none(), "too long for a code: the link is still there");
    }
}
