import { createProgram } from '../../client/cli/program';

test('every command has a description and shows an example in its help', () => {
  const leaves: string[] = [];
  const visit = (command: ReturnType<typeof createProgram>, path: string): void => {
    if (command.commands.length > 0) {
      for (const child of command.commands) visit(child, `${path} ${child.name()}`);
      return;
    }
    leaves.push(path);
    let help = '';
    command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
    expect({ path, described: command.description() !== '' }).toEqual({ path, described: true });
    expect({ path, example: /\nExamples?:\n.*chronawflow /s.test(help) }).toEqual({ path, example: true });
    const json = command.options.some((option) => option.long === '--json');
    expect({ path, json }).toEqual({ path, json: true });
  };
  visit(createProgram(), 'chronawflow');
  expect(leaves.length).toBeGreaterThan(15);
});
