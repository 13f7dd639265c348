//! Buttons and other small parts that the screens share. Each has a name for screen readers.

use crate::editor::bold;
use crate::icons::{self, Icon};
use crate::theme::palette;
use eframe::egui::{
    self, Align2, Color32, CornerRadius, FontId, Rect, Response, RichText, Role, Sense, Stroke, StrokeKind,
    Ui, Vec2, WidgetInfo,
};

/// A button that is an icon; its name is read out and shown under the pointer, with its key.
pub fn icon_button(ui: &mut Ui, icon: Icon, name: &str, key: &str) -> Response {
    icon_button_sized(ui, icon, name, key, 32.0)
}

/// The same in another size.
pub fn icon_button_sized(ui: &mut Ui, icon: Icon, name: &str, key: &str, size: f32) -> Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(size), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), name));
    let colors = palette(ui);
    let lit = response.hovered() || response.has_focus();
    if lit {
        ui.painter().rect_filled(rect, CornerRadius::same(8), colors.hover);
    }
    focus_ring(ui, &response, rect);
    let area = Rect::from_center_size(rect.center(), Vec2::splat((size * 0.5).round()));
    icons::paint(ui.painter(), icon, area, if lit { colors.strong } else { colors.weak });
    response.on_hover_text(hint(name, key))
}

/// "Share  Ctrl+Shift+S".
pub fn hint(name: &str, key: &str) -> String {
    if key.is_empty() { name.to_owned() } else { format!("{name}  {key}") }
}

/// A line around what has the keyboard.
pub fn focus_ring(ui: &Ui, response: &Response, rect: Rect) {
    if response.has_focus() {
        let stroke = Stroke::new(1.5, palette(ui).accent);
        ui.painter().rect_stroke(rect, CornerRadius::same(8), stroke, StrokeKind::Inside);
    }
}

/// The one filled button of a screen.
pub fn primary(ui: &mut Ui, icon: Option<Icon>, text: &str) -> Response {
    let colors = palette(ui);
    let galley = ui.painter().layout_no_wrap(text.to_owned(), FontId::proportional(14.0), colors.on_accent);
    let space = if icon.is_some() { 22.0 } else { 0.0 };
    let size = egui::vec2(galley.size().x + space + 28.0, 34.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), text));
    let fill =
        if response.hovered() { colors.accent.lerp_to_gamma(colors.strong, 0.15) } else { colors.accent };
    let fill = if ui.is_enabled() { fill } else { fill.gamma_multiply(0.5) };
    ui.painter().rect_filled(rect, CornerRadius::same(9), fill);
    if response.has_focus() {
        let stroke = Stroke::new(2.0, colors.strong);
        ui.painter().rect_stroke(rect.expand(2.0), CornerRadius::same(10), stroke, StrokeKind::Inside);
    }
    if let Some(icon) = icon {
        let area = Rect::from_center_size(rect.left_center() + egui::vec2(22.0, 0.0), Vec2::splat(15.0));
        icons::paint(ui.painter(), icon, area, colors.on_accent);
    }
    let at = egui::pos2(rect.left() + 14.0 + space, rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, colors.on_accent);
    response
}

/// A row of choices of which one is in force; returns the one that was clicked.
pub fn choices<T: Copy + PartialEq>(ui: &mut Ui, name: &str, all: &[(T, &str)], current: T) -> Option<T> {
    let colors = palette(ui);
    let texts: Vec<_> = all
        .iter()
        .map(|(value, text)| {
            let color = if *value == current { colors.strong } else { colors.weak };
            ui.painter().layout_no_wrap((*text).to_owned(), FontId::proportional(13.0), color)
        })
        .collect();
    let widths: Vec<f32> = texts.iter().map(|text| (text.size().x + 22.0).round()).collect();
    let (area, _) =
        ui.allocate_exact_size(egui::vec2(widths.iter().sum::<f32>() + 4.0, 28.0), Sense::hover());
    ui.painter().rect_filled(area, CornerRadius::same(9), colors.hover);
    let mut left = area.left() + 2.0;
    let mut clicked = None;
    for (index, (value, text)) in all.iter().enumerate() {
        let chosen = *value == current;
        let rect = Rect::from_min_size(egui::pos2(left, area.top() + 2.0), egui::vec2(widths[index], 24.0));
        left += widths[index];
        let response = ui.interact(rect, ui.scope_id().with((name, index)), Sense::click());
        let label = format!("{name}: {text}");
        response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, chosen, &label));
        if chosen {
            ui.painter().rect_filled(rect, CornerRadius::same(7), colors.raised);
        } else if response.hovered() {
            ui.painter().rect_filled(rect, CornerRadius::same(7), colors.line);
        }
        focus_ring(ui, &response, rect);
        let galley = texts[index].clone();
        ui.painter().galley(rect.center() - galley.size() / 2.0, galley, colors.text);
        if response.clicked() {
            clicked = Some(*value);
        }
    }
    clicked
}

/// A person: a disc in their colour with the first letter of their name.
pub fn avatar(ui: &mut Ui, name: &str, color: [u8; 3], size: f32, ring: bool) -> Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(size + 4.0), Sense::click());
    let [red, green, blue] = color;
    let fill = Color32::from_rgb(red, green, blue);
    let center = rect.center();
    ui.painter().circle_filled(center, size / 2.0, fill);
    if ring || response.hovered() || response.has_focus() {
        ui.painter().circle_stroke(
            center,
            size / 2.0 + 1.5,
            Stroke::new(1.5, if ring { fill } else { palette(ui).weak }),
        );
    }
    let letter: String =
        name.trim().chars().next().map_or("?".into(), |first| first.to_uppercase().collect());
    ui.painter().text(
        center,
        Align2::CENTER_CENTER,
        letter,
        FontId::proportional(size * 0.46),
        text_on(fill),
    );
    response
}

/// White or black, whichever is easier to read on `ground`.
pub fn text_on(ground: Color32) -> Color32 {
    let [red, green, blue, _] = egui::Rgba::from(ground).to_array();
    if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.32 {
        Color32::from_rgb(16, 19, 24)
    } else {
        Color32::WHITE
    }
}

/// A field for one line of text, with its name above it.
pub fn field(ui: &mut Ui, name: &str, text: &mut String, hint: &str) -> Response {
    let label = if name.is_empty() {
        None
    } else {
        Some(ui.label(RichText::new(name).size(13.0).color(palette(ui).weak)))
    };
    let edit = egui::TextEdit::singleline(text).hint_text(hint).margin(egui::Margin::symmetric(10, 7));
    let response = ui.add(edit.desired_width(f32::INFINITY));
    match label {
        Some(label) => response.labelled_by(label.id),
        None => response,
    }
}

/// A bold line.
pub fn title(ui: &mut Ui, text: &str, size: f32) -> Response {
    let galley = ui.painter().layout_no_wrap(text.to_owned(), FontId::proportional(size), palette(ui).strong);
    ui.add(egui::Label::new(bold::embolden(galley, &vec![true; text.chars().count()])))
}

/// Text in the secondary colour.
pub fn weak(ui: &mut Ui, text: impl Into<String>) -> Response {
    let color = palette(ui).weak;
    ui.add(egui::Label::new(RichText::new(text).size(13.0).color(color)).wrap())
}

/// A dialog in the middle of the window with a title and a cross; returns true when it should close.
pub fn dialog(ui: &Ui, name: &str, close: &str, width: f32, contents: impl FnOnce(&mut Ui)) -> bool {
    let width = width.min(ui.ctx().content_rect().width() - 48.0);
    let frame = egui::Frame::popup(ui.style()).inner_margin(egui::Margin::same(22)).corner_radius(14);
    let modal = egui::Modal::new(egui::Id::unique(("dialog", name))).frame(frame).show(ui.ctx(), |ui| {
        ui.set_width(width);
        let mut closed = false;
        ui.horizontal(|ui| {
            title(ui, name, 18.0);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                closed = icon_button_sized(ui, Icon::Cross, close, "Esc", 28.0).clicked();
            });
        });
        ui.add_space(8.0);
        contents(ui);
        closed
    });
    modal.inner || modal.should_close()
}
