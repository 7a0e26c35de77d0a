// What GitHub itself makes of workflows, by its own packages: `parse` says what is wrong in files, `evaluate` gives the
// values of expressions. Input comes on standard input and output goes to standard output, both JSON.
import { readFile } from "node:fs/promises";
import { registerHooks } from "node:module";
import { json } from "node:stream/consumers";

// The packages import JSON as a bundler takes it; Node wants to be told.
registerHooks({
  load: (url, context, next) =>
    next(url, url.endsWith(".json") ? { ...context, importAttributes: { type: "json" } } : context),
});
const { data, Evaluator, Lexer, Parser } = await import("@actions/expressions");
const { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } = await import("@actions/workflow-parser");
const { parseAction } = await import("@actions/workflow-parser/actions/action-parser");

const read = async (name) => ({ name, content: await readFile(name, "utf8") });

async function parse({ workflows, actions }) {
  const problems = [];
  for (const name of workflows) {
    const { context, value } = parseWorkflow(await read(name), new NoOperationTraceWriter());
    const files = { getFileContent: ({ path }) => read(path) };
    if (value) await convertWorkflowTemplate(context, value, files, { fetchReusableWorkflowDepth: 1 });
    problems.push(...context.errors.getErrors().map(({ message }) => message));
  }
  for (const name of actions) {
    const { context } = parseAction(await read(name), new NoOperationTraceWriter());
    problems.push(...context.errors.getErrors().map(({ message }) => message));
  }
  return problems;
}

function evaluate(questions) {
  return questions.map(({ expression, contexts, functions }) => {
    const known = Object.entries(functions).map(([name, value]) => ({
      name,
      minArgs: 0,
      maxArgs: 0,
      call: () => new data.BooleanData(value),
    }));
    const parsed = new Parser(new Lexer(expression).lex().tokens, Object.keys(contexts), known).parse();
    const values = JSON.parse(JSON.stringify(contexts), data.reviver);
    const found = new Evaluator(parsed, values, new Map(known.map((each) => [each.name, each]))).evaluate();
    return JSON.parse(JSON.stringify(found, data.replacer));
  });
}

const answer = { parse, evaluate }[process.argv[2]];
process.stdout.write(JSON.stringify(await answer(await json(process.stdin))));
