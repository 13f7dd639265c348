// What the page shows of others, whatever they say: prints `ok CHECK` or `FAIL CHECK<tab>DETAIL`.
import { fitColour, fitName, initial, inkOn, personOf, reactionOf } from '../../demo-gui/web/src/people.js';
import { readLink } from '../../demo-gui/web/src/link.js';

function check(got, wanted, name) {
  const [left, right] = [JSON.stringify(got), JSON.stringify(wanted)];
  console.log(`${left === right ? 'ok' : 'FAIL'} ${name}\t${left === right ? '' : `${left} is not ${right}`}`);
  if (left !== right) process.exitCode = 1;
}

const FAMILY = '👨\u200d👩\u200d👧';
check(fitName('小明'), '小明', 'a name stays');
check(fitName(`${FAMILY} Ada`), `${FAMILY} Ada`, 'an emoji of several code points stays');
check(fitName('\u202eevil\u2066 \u200bname\u0000\n'), 'evil name', 'a name loses what turns or hides it');
check(fitName('a\u200db\ue000'), 'ab', 'a joiner that joins no emoji goes');
check(fitName('长'.repeat(1e6)), '长'.repeat(32), 'a name has 32 characters');
check([fitName(7), fitName(null), fitName({}), fitName('\u200b')], ['', '', '', ''], 'what is no name is none');
check(
  ['#A1B2C3', 'red', '#fff', 'url(x)', '#1234567', null].map(fitColour),
  ['#a1b2c3', ...Array(5).fill('#6b7280')],
  'only #rrggbb is a colour',
);
check(
  [inkOn('#ffffff'), inkOn('#000000'), inkOn('#0f766e')],
  ['#111418', '#ffffff', '#ffffff'],
  'letters can be read on every colour',
);
check([initial(`${FAMILY} x`), initial('ada'), initial('')], [FAMILY, 'A', '?'], 'the first letter is a whole one');
check(
  [null, 7, 'x'].map((state) => personOf(1, state)),
  [null, null, null],
  'what is no state is nobody',
);
check(personOf(1, { user: 'x' }), { client: 1, name: '?', colour: '#6b7280' }, 'who says nothing has a stand-in');
const reactions = [
  { id: 1, text: '🎉' },
  { id: 'x', text: '🎉' },
  { id: 1, text: '\u202e' },
  { id: 1, text: 'ha'.repeat(99) },
  'no',
  null,
];
check(
  reactions.map((reaction) => reactionOf({ reaction })?.text ?? null),
  ['🎉', null, null, 'ha'.repeat(16), null, null],
  'a reaction is short and visible',
);
const links = ['#abc.def-_', '', '#abc', '#a b.c', '#a.b.c', '#../x.y', `#${'a'.repeat(200)}.b`];
check(
  links.map((hash) => readLink({ hash })),
  [{ note: 'abc', token: 'def-_' }, ...Array(6).fill(null)],
  'a link is a note and a token',
);
