import '../style/base.css';
import './problem.css';
import { startPage } from '../parts/hydrate.tsx';
import { problemPage } from './page.tsx';

startPage(problemPage);
