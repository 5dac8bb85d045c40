/** Sections: ids, order, lengths, and counts that must agree between them. */
import {
  BULK,
  body,
  customSection,
  dataAt,
  exportOf,
  flat,
  funcType,
  i32,
  leb,
  limits,
  moduleOf,
  name,
  passiveData,
  rawModule,
  SECTION,
  section,
  sectionsOf,
  vec,
} from '../module-builder.ts';
import { type Malformed, malformed } from './malformed.ts';

const AFTER_PREAMBLE = 8;
const type = section(SECTION.type, vec([funcType()]));
const oneFunction = section(SECTION.function, vec([0]));
const oneBody = section(SECTION.code, vec([body([])]));
const memory = section(SECTION.memory, vec([limits(1)]));
const none = (id: number) => section(id, vec([]));

export const sections: readonly Malformed[] = [
  malformed('a section id without a length', 'wasm.truncated', () => rawModule(SECTION.type)),
  malformed('section id 14', 'wasm.section-id', () => rawModule(section(14, [])), {
    offset: AFTER_PREAMBLE,
  }),
  malformed('section id 127', 'wasm.section-id', () => rawModule(section(127, []))),
  malformed('section id 128', 'wasm.section-id', () => rawModule(section(128, []))),
  malformed('a section id as two bytes', 'wasm.section-id', () => rawModule(0x81, 0, sized0())),
  malformed('a tag section', 'wasm.feature', () => rawModule(section(SECTION.tag, vec([])))),
  malformed('a section longer than the module', 'wasm.truncated', () =>
    rawModule(section(SECTION.type, vec([funcType()]), leb(5))),
  ),
  malformed('a section of 2³² − 1 bytes', 'wasm.truncated', () =>
    rawModule(section(SECTION.type, vec([funcType()]), leb(0xffff_ffff))),
  ),
  malformed('a section of 2³¹ bytes', 'wasm.truncated', () =>
    rawModule(section(SECTION.code, vec([]), leb(0x8000_0000))),
  ),
  malformed('a section of no bytes', 'wasm.truncated', () => rawModule(SECTION.type, 0)),
  malformed('a section that ends within its entries', 'wasm.truncated', () =>
    rawModule(section(SECTION.type, vec([funcType()]), leb(3)), 0),
  ),
  malformed('a byte after the entries of types', 'wasm.section-length', () =>
    rawModule(section(SECTION.type, [vec([funcType()]), 0])),
  ),
  malformed('a byte after the entries of functions', 'wasm.section-length', () =>
    rawModule(type, section(SECTION.function, [vec([0]), 0]), oneBody),
  ),
  malformed('a byte after the entries of code', 'wasm.section-length', () =>
    rawModule(type, oneFunction, section(SECTION.code, [vec([body([])]), 0])),
  ),
  malformed('a byte after the memory', 'wasm.section-length', () =>
    rawModule(section(SECTION.memory, [vec([limits(1)]), 0])),
  ),
  malformed('a byte after the start function', 'wasm.section-length', () =>
    rawModule(type, oneFunction, section(SECTION.start, [0, 0]), oneBody),
  ),
  malformed('a byte after the count of data', 'wasm.section-length', () =>
    rawModule(section(SECTION.dataCount, [0, 0])),
  ),
  malformed('a byte after the data', 'wasm.section-length', () =>
    rawModule(memory, section(SECTION.data, [vec([dataAt(i32(0), [1])]), 0])),
  ),
  malformed('a count above the entries of types', 'wasm.truncated', () =>
    rawModule(section(SECTION.type, vec([funcType()], leb(2)))),
  ),
  malformed('a count below the entries of types', 'wasm.section-length', () =>
    rawModule(section(SECTION.type, vec([funcType(), funcType()], leb(1)))),
  ),
  malformed('two type sections', 'wasm.section-order', () => rawModule(type, type), {
    offset: AFTER_PREAMBLE + type.length,
  }),
  ...Object.entries(SECTION)
    .filter(([title]) => !['custom', 'type', 'tag', 'start', 'dataCount', 'code'].includes(title))
    .map(([title, id]) =>
      malformed(`two sections of no ${title}`, 'wasm.section-order', () =>
        rawModule(none(id), none(id)),
      ),
    ),
  malformed('two start sections', 'wasm.section-order', () =>
    rawModule(type, oneFunction, section(SECTION.start, 0), section(SECTION.start, 0), oneBody),
  ),
  malformed('two counts of data', 'wasm.section-order', () =>
    rawModule(section(SECTION.dataCount, 0), section(SECTION.dataCount, 0)),
  ),
  malformed('two code sections', 'wasm.section-order', () =>
    rawModule(type, oneFunction, oneBody, oneBody),
  ),
  malformed('functions before types', 'wasm.section-order', () =>
    rawModule(oneFunction, type, oneBody),
  ),
  malformed('code before functions', 'wasm.count', () => rawModule(type, oneBody, oneFunction)),
  malformed('memory before table', 'wasm.section-order', () =>
    rawModule(memory, none(SECTION.table)),
  ),
  malformed('exports before globals', 'wasm.section-order', () =>
    rawModule(none(SECTION.export), none(SECTION.global)),
  ),
  malformed('elements before start', 'wasm.section-order', () =>
    rawModule(type, oneFunction, none(SECTION.element), section(SECTION.start, 0), oneBody),
  ),
  malformed('data before code', 'wasm.section-order', () =>
    rawModule(type, oneFunction, none(SECTION.data), oneBody),
  ),
  malformed('count of data behind code', 'wasm.section-order', () =>
    rawModule(type, oneFunction, oneBody, section(SECTION.dataCount, 0)),
  ),
  malformed('count of data before elements', 'wasm.section-order', () =>
    rawModule(section(SECTION.dataCount, 0), none(SECTION.element)),
  ),
  malformed('imports behind functions', 'wasm.section-order', () =>
    rawModule(type, oneFunction, none(SECTION.import), oneBody),
  ),
  malformed('functions without code', 'wasm.count', () => rawModule(type, oneFunction)),
  malformed('code without functions', 'wasm.count', () => rawModule(type, oneBody)),
  malformed('more functions than code', 'wasm.count', () =>
    rawModule(type, section(SECTION.function, vec([0, 0])), oneBody),
  ),
  malformed('more code than functions', 'wasm.count', () =>
    rawModule(type, oneFunction, section(SECTION.code, vec([body([]), body([])]))),
  ),
  malformed('fewer data than counted', 'wasm.count', () =>
    moduleOf({ memory: limits(1), dataCount: 2, data: [passiveData([1])] }),
  ),
  malformed('more data than counted', 'wasm.count', () =>
    moduleOf({ memory: limits(1), dataCount: 1, data: [passiveData([1]), passiveData([2])] }),
  ),
  malformed('data counted and absent', 'wasm.count', () =>
    moduleOf({ memory: limits(1), dataCount: 1 }),
  ),
  malformed('data.drop without a count of data', 'wasm.index', () =>
    moduleOf({
      types: [funcType()],
      functions: [{ code: [BULK.data_drop, 0] }],
      memory: limits(1),
      data: [passiveData([1])],
    }),
  ),
  malformed('memory.init without a count of data', 'wasm.index', () =>
    moduleOf({
      types: [funcType()],
      functions: [{ code: [i32(0), i32(0), i32(0), BULK.memory_init, 0, 0] }],
      memory: limits(1),
      data: [passiveData([1])],
    }),
  ),
  malformed('a custom section without a name', 'wasm.truncated', () =>
    rawModule(section(SECTION.custom, [])),
  ),
  malformed('a custom section shorter than its name', 'wasm.truncated', () =>
    rawModule(section(SECTION.custom, [leb(5), 0x61])),
  ),
  malformed('a custom name of 2³² − 1 bytes', 'wasm.limit', () =>
    rawModule(section(SECTION.custom, [leb(0xffff_ffff), 0x61])),
  ),
  malformed('a custom name that is no UTF-8', 'wasm.utf8', () =>
    rawModule(section(SECTION.custom, [1, 0xff])),
  ),
  malformed('a custom section that ends behind the module', 'wasm.truncated', () =>
    rawModule(section(SECTION.custom, name('x'), leb(40))),
  ),
  malformed('zeros behind the last section', 'wasm.truncated', () => flat(rawModule(type), 0, 0)),
  malformed('a second module behind the first', 'wasm.truncated', () =>
    flat(rawModule(type, customSection('x')), rawModule(type)),
  ),
  malformed('every section twice in turn', 'wasm.section-order', () => {
    const all = sectionsOf({
      types: [funcType()],
      functions: [{}],
      exports: [exportOf('f', 'function')],
    });
    return rawModule(all, all);
  }),
];

function sized0(): Uint8Array {
  return Uint8Array.of(1, 0);
}
