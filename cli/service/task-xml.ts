import { type ServicePlan, serviceName } from './manager.ts'
import { ServiceError } from './service-error.ts'
import { xmlText } from './xml.ts'

const taskMark = `Written by "${serviceName} service install".`

export interface TaskOptions extends ServicePlan {
  /** Where standard output and error go. */
  log: string
  /** DOMAIN\user that it runs as, and whose logon starts it. */
  user: string
}

/**
 * A task for Windows' Task Scheduler ([MS-TSCH], section 2.5): it comes up when the user logs on, and again a minute
 * after a failure. The command interpreter appends what it prints to a file. Throws a ServiceError for a path that it
 * would misread.
 */
export function taskXml({ command, log, user }: TaskOptions): string {
  const line = `${command.map(quoted).join(' ')} >> ${quoted(log)} 2>&1`
  return [
    '<?xml version="1.0" encoding="UTF-16"?>',
    '<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">',
    '  <RegistrationInfo>',
    `    <Description>${xmlText(`A proxy with exits in AWS Lambda. ${taskMark}`)}</Description>`,
    `    <URI>\\${serviceName}</URI>`,
    '  </RegistrationInfo>',
    '  <Triggers>',
    '    <LogonTrigger>',
    '      <Enabled>true</Enabled>',
    `      <UserId>${xmlText(user)}</UserId>`,
    '    </LogonTrigger>',
    '  </Triggers>',
    '  <Principals>',
    '    <Principal id="Author">',
    `      <UserId>${xmlText(user)}</UserId>`,
    '      <LogonType>InteractiveToken</LogonType>',
    '      <RunLevel>LeastPrivilege</RunLevel>',
    '    </Principal>',
    '  </Principals>',
    '  <Settings>',
    '    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>',
    '    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>',
    '    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>',
    '    <AllowHardTerminate>true</AllowHardTerminate>',
    '    <StartWhenAvailable>true</StartWhenAvailable>',
    '    <AllowStartOnDemand>true</AllowStartOnDemand>',
    '    <Enabled>true</Enabled>',
    '    <Hidden>false</Hidden>',
    '    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>',
    '    <Priority>6</Priority>',
    '    <RestartOnFailure>',
    '      <Interval>PT1M</Interval>',
    '      <Count>255</Count>',
    '    </RestartOnFailure>',
    '  </Settings>',
    '  <Actions Context="Author">',
    '    <Exec>',
    '      <Command>cmd.exe</Command>',
    // The outer pair of quotes is the interpreter's: with /s it takes them away and nothing else.
    `      <Arguments>${xmlText(`/d /s /c "${line}"`)}</Arguments>`,
    '    </Exec>',
    '  </Actions>',
    '</Task>',
    '',
  ].join('\r\n')
}

// --- internal ---

/** Throws a ServiceError for what the command interpreter would read as the end of the quotes, or as a variable's name. */
function quoted(argument: string): string {
  if (!/["%]/.test(argument)) return `"${argument}"`
  throw new ServiceError(
    'E_SERVICE_PROGRAM',
    `a task cannot name ${argument}, for its quote or percent sign`,
    {
      hint: 'Move it to a path without one.',
    },
  )
}
