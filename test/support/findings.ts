import * as assert from 'uvu/assert'

/** What `doctor --json` tells of one thing. */
export interface Finding {
  name: string
  status: string
  code?: string
  message: string
  hint?: string
  facts?: Record<string, unknown>
}

/** Reads what `doctor --json` has printed; fails when it does not fit the exit code, or leaves a person without advice. */
export function findingsOf(code: number | string | null, printed: string): (name: string) => Finding {
  assert.ok(code === 0 || code === 1, printed)
  const { works, findings } = JSON.parse(printed) as { works: boolean; findings: Finding[] }
  assert.is(works, code === 0)
  for (const { name, status, code, hint } of findings)
    if (status === 'warn' || status === 'fail') {
      assert.match(code ?? '', /^E_[A-Z_]+$/, `${name} has no code`)
      assert.ok(hint, `${name} says nothing of what to do`)
    }
  return name => {
    const finding = findings.find(each => each.name === name)
    assert.ok(finding, `there is no finding ${name} in ${printed}`)
    return finding
  }
}
