/** A8: names that Windows could not store, by the reason, and names that only look like them. Sixty together. */
export const UNPORTABLE: Readonly<Record<string, readonly string[]>> = {
  'a device': ['CON', 'con', 'Prn', 'AUX', 'NUL', 'nul', 'COM1', 'com9', 'COM0', 'COM¹', 'COM²', 'com³', 'LPT1', 'lpt9', 'LPT¹', 'CONIN$', 'conout$', 'CLOCK$'],
  'a device with an ending': ['NUL.txt', 'con.tar.gz', 'aux .txt', 'COM1.log', 'nul.', 'LPT².x'],
  'a character that is forbidden there': ['a:b', 'a:$DATA', 'file::$DATA', 'C:', 'a<b', 'a>b', 'a"b', 'a|b', 'a?b', 'a*b', 'a\\b', '..\\a'],
  'an end that is cut off there': ['a.', 'a ', 'a. ', 'a .', '...', ' . .'],
  'a short name of another file': ['FTX~1', 'PROGRA~1', 'abcdef~12.txt', 'A~1.C', 'DOCUME~1.'],
};

export const PORTABLE: readonly string[] = [
  'CONSOLE', 'con1', 'NULL', 'COM10', 'COM', 'LPT', 'auxiliary', '.con', 'a.con', 'x-nul', 'a~b', '~1', 'readme~', 'longname~1x', 'a.b.c', '..a', 'ü;,=+[]', 'COM⁴',
];
