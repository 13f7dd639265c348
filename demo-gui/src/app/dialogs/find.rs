//! Find in the note: a bar above the text.

use crate::app::App;
use crate::app::body::strip;
use crate::icons::Icon;
use crate::parts::{icon_button_sized, weak};
use eframe::egui::{Id, Key, Margin, Modifiers, Role, TextEdit, Ui, WidgetInfo};
use notes_core::find::Needle;

/// More places are not counted.
const MOST: usize = 2_000;

/// The bar's state.
#[derive(Default)]
pub struct Find {
    query: String,
    focus: bool,
    /// What was searched: the query and the version of the text.
    done: Option<(String, u64)>,
}

/// The bar's field.
pub fn field_id() -> Id {
    Id::unique("find in note")
}

impl App {
    pub(in crate::app) fn start_find(&mut self) {
        if self.settings.mode == crate::settings::Mode::Read {
            self.set_mode(crate::settings::Mode::Edit);
        }
        let Some(open) = &self.open else { return };
        let (anchor, head) = open.editor.selection();
        let selected = open.text().get(anchor.min(head)..anchor.max(head)).unwrap_or_default();
        let find = self.find.get_or_insert_default();
        if !selected.is_empty() && !selected.contains('\n') {
            find.query = selected.to_owned();
        }
        find.focus = true;
    }

    pub(in crate::app) fn find_bar(&mut self, ui: &mut Ui) {
        let Some(mut find) = self.find.take() else { return };
        let words = self.words;
        let Some(open) = &mut self.open else { return };
        let (mut step, mut closed) = (0, false);
        strip(ui, |ui| {
            ui.horizontal_centered(|ui| {
                let edit = TextEdit::singleline(&mut find.query).id(field_id()).hint_text(words.find);
                let response = ui.add(edit.margin(Margin::symmetric(10, 6)).desired_width(240.0));
                let value = find.query.clone();
                response.widget_info(|| {
                    let mut info = WidgetInfo::labeled(Role::TextInput, true, words.find);
                    info.current_text_value = Some(value.clone());
                    info
                });
                if std::mem::take(&mut find.focus) {
                    response.request_focus();
                }
                if response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter)) {
                    step = if ui.input(|input| input.modifiers.shift) { -1 } else { 1 };
                }
                if icon_button_sized(ui, Icon::Up, words.previous, "Shift+Enter", 28.0).clicked() {
                    step = -1;
                }
                if icon_button_sized(ui, Icon::Down, words.next, "Enter", 28.0).clicked() {
                    step = 1;
                }
                if step != 0 {
                    response.request_focus();
                }
                let count = open.editor.found.len();
                let text = match count {
                    _ if find.query.is_empty() => String::new(),
                    0 => words.nothing_found.to_owned(),
                    _ => words.match_of(open.editor.found_at + 1, count),
                };
                weak(ui, text);
                closed = icon_button_sized(ui, Icon::Cross, words.close, "Esc", 28.0).clicked();
                closed |= ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
            });
        });
        let editor = &mut open.editor;
        if closed {
            if let Some(range) = editor.found.get(editor.found_at).cloned() {
                editor.select(range.start, range.end);
            }
            editor.found.clear();
            editor.focus();
            return;
        }
        let wanted = (find.query.clone(), editor.version);
        if find.done.as_ref() != Some(&wanted) {
            let fresh = find.done.as_ref().is_none_or(|(query, _)| *query != find.query);
            editor.found = Needle::new(&find.query).find(editor.peer.text(), MOST);
            if fresh {
                // The first one at or after the caret.
                let at = editor.selection().0.min(editor.selection().1);
                editor.found_at = editor.found.iter().position(|range| range.start >= at).unwrap_or(0);
                editor.go_to = editor.found.get(editor.found_at).map(|range| range.start);
            }
            editor.found_at = editor.found_at.min(editor.found.len().saturating_sub(1));
            find.done = Some(wanted);
        }
        if step != 0 && !editor.found.is_empty() {
            let count = editor.found.len();
            editor.found_at = (editor.found_at + if step > 0 { 1 } else { count - 1 }) % count;
            editor.go_to = Some(editor.found[editor.found_at].start);
            ui.ctx().request_repaint();
        }
        self.find = Some(find);
    }
}
