export { completedSince, holdQueue } from './completed-since';
export { pageUndone, type UndoneEffect } from './page-undone';
export { parkJobs } from './park-jobs';
export { stageCompletions } from './stage-completions';
export { countRedriven, countUndone, markUndone, withdrawMarks } from './undone-effects';
