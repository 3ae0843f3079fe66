import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { need } from '../support/need.ts'
import { labAvailable } from './available.ts'
import { screensInDocument, screensNow } from './doctor-screens.ts'
import { portMappingPackage, portMappingProgram } from './port-mapping.ts'

const test = suite('Networks, as doctor sees them')

test('docs/nat.md has what doctor shows (if not: bun test/lab/doctor-screens.ts)', async () => {
  assert.equal(await screensInDocument(), await screensNow())
})

if (labAvailable() && need(['coturn', portMappingPackage], ['turnserver', portMappingProgram])) test.run()
