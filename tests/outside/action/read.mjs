// read.mjs FILE...: GitHub's own parser reads action.yml and workflows: schema, contexts and expressions. A line an error.
import { readFileSync } from "fs";
import { parseAction } from "@actions/workflow-parser/actions/action-parser";
import { parseWorkflow } from "@actions/workflow-parser/workflows/workflow-parser";
import { convertWorkflowTemplate } from "@actions/workflow-parser";

const silent = { info() {}, verbose() {}, error() {} };
let failed = 0;
for (const name of process.argv.slice(2)) {
  const file = { name, content: readFileSync(name, "utf8") };
  const action = /(^|\/)action\.ya?ml$/.test(name);
  const read = action ? parseAction(file, silent) : parseWorkflow(file, silent);
  if (!action && read.value) await convertWorkflowTemplate(read.context, read.value);
  for (const error of read.context.errors.getErrors()) {
    failed += 1;
    console.log(`${name}: ${error.message}`);
  }
}
process.exit(failed ? 1 : 0);
