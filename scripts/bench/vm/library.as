// AssemblyScript. About 100 KB of compiled code to decode, validate and rewrite: maps, sets, arrays
// and their sorting, for many types. Its functions are only compiled, never run.

function maps<K, V>(key: K, value: V): i32 {
  const map = new Map<K, V>();
  map.set(key, value);
  map.delete(key);
  return map.keys().length + map.values().length + i32(map.has(key)) + map.size;
}

function arrays<T>(first: T, second: T): i32 {
  const array: T[] = [first, second];
  array.sort();
  array.reverse();
  array.push(array.shift());
  array.splice(0, 1);
  return array.concat(array.slice(1)).indexOf(first) + array.join(",").length;
}

function ofKey<K>(key: K): i32 {
  const set = new Set<K>();
  set.add(key);
  return (
    set.values().length + arrays<K>(key, key) + maps<K, u8>(key, 1) + maps<K, i16>(key, 2) +
    maps<K, u32>(key, 3) + maps<K, u64>(key, 4) + maps<K, f32>(key, 5) + maps<K, f64>(key, 6) +
    maps<K, string>(key, "seven")
  );
}

export function run(n: i32): i32 {
  return (
    ofKey<i8>(n as i8) + ofKey<u8>(n as u8) + ofKey<i16>(n as i16) + ofKey<u16>(n as u16) +
    ofKey<i32>(n) + ofKey<u32>(n) + ofKey<i64>(n) + ofKey<u64>(n) + ofKey<f32>(n as f32) +
    ofKey<f64>(n as f64) + ofKey<string>(n.toString())
  );
}
