import '../style/base.css';
import './join.css';
import { startPage } from '../parts/hydrate.tsx';
import { joinPage } from './page.tsx';

startPage(joinPage);
